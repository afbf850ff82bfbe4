import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type FactorName, levelSchema } from '../../src/spec/factors.ts';
import { FACTORS, type FactorDefinition, findResponse, LOAD_FACTORS, RESPONSES } from '../../src/spec/index.ts';

const factors: [string, FactorDefinition][] = Object.entries(FACTORS);

test.each(factors)('the default and the examples of factor %s are levels of it', (name, { defaultLevel, examples }) => {
  for (const level of [...examples, ...(defaultLevel === undefined ? [] : [defaultLevel])]) {
    // As a user would write it.
    expect(levelSchema(name as FactorName).safeParse(parse(String(level))).success).toBe(true);
  }
});

test('the factors of group load are those that share a launch', () => {
  expect(factors.filter(([, { group }]) => group === 'load').map(([name]) => name)).toEqual(LOAD_FACTORS);
});

test('a response is a column of its own, in snake case, with its unit at the end', () => {
  const SUFFIX: Readonly<Record<string, RegExp>> = {
    ms: /_ms$/,
    MB: /_mb$/,
    J: /_j$/,
    'J*s': /_js$/,
    W: /_w$/,
    MHz: /_mhz$/,
    '°C': /_c$/,
    'requests/s': /_rps$/,
    'inferences/s': /_ips$/,
  };
  expect(new Set(RESPONSES.map(({ name }) => name)).size).toBe(RESPONSES.length);
  for (const { name, unit, description } of RESPONSES) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name).toMatch(SUFFIX[unit] ?? /./);
    expect(description).not.toBe('');
  }
});

test('the intervals that more windows narrow are those of the latencies but the largest', () => {
  const latencies = RESPONSES.map(({ name }) => name).filter((name) => name.startsWith('latency_'));
  const narrowed = RESPONSES.filter(({ interval }) => interval === 'latencies').map(({ name }) => name);
  expect([...narrowed, 'latency_max_ms']).toEqual(latencies);
});

test('no response has the name of a factor, because both are columns', () => {
  expect(factors.filter(([name]) => findResponse(name) !== undefined)).toEqual([]);
});

test('the responses are the fixed names that users and other tools build on', () => {
  expect(RESPONSES.map(({ name }) => name).join(' ')).toMatchInlineSnapshot(
    `"offered_rps achieved_rps goodput_rps accurate_rps throughput_ips capacity_rps capacity_slo_rps latency_mean_ms latency_p50_ms latency_p90_ms latency_p95_ms latency_p99_ms latency_p999_ms latency_max_ms queue_ms compute_ms cache_hit_rate cpu_util throttled_share memory_peak_mb network_rx_mb network_tx_mb block_read_mb block_write_mb energy_gross_j energy_net_j energy_per_inference_j energy_net_per_inference_j energy_share_estimate_j energy_share_estimate_per_inference_j energy_per_request_j energy_per_correct_j energy_delay_product_js power_w idle_power_w accuracy_top1 accuracy_top5 bare_latency_ms bare_throughput_ips model_size_mb params macs others_cpu_util steal_cpu_util generator_throttled_share cpu_frequency_mhz temperature_c page_faults swap_mb littles_law_error"`,
  );
});
