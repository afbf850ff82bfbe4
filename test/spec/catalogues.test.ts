import { expect, test } from 'vitest';
import { FACTORS, type FactorDefinition, findResponse, LOAD_FACTORS, RESPONSES } from '../../src/spec/index.ts';

const factors: [string, FactorDefinition][] = Object.entries(FACTORS);

test.each(factors)(
  'the default and the examples of factor %s are levels of it',
  (_, { value, defaultLevel, examples }) => {
    for (const level of [...examples, ...(defaultLevel === undefined ? [] : [defaultLevel])]) {
      expect(value.safeParse(level).success).toBe(true);
    }
  },
);

test('the factors of group load are those that share a launch', () => {
  expect(factors.filter(([, { group }]) => group === 'load').map(([name]) => name)).toEqual(LOAD_FACTORS);
});

test('a response is a column of its own, in snake case, with its unit at the end', () => {
  const SUFFIX: Readonly<Record<string, RegExp>> = {
    ms: /_ms$/,
    MB: /_mb$/,
    J: /_j$/,
    W: /_w$/,
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

test('no response has the name of a factor, because both are columns', () => {
  expect(factors.filter(([name]) => findResponse(name) !== undefined)).toEqual([]);
});

test('the responses are the fixed names that users and other tools build on', () => {
  expect(RESPONSES.map(({ name }) => name).join(' ')).toMatchInlineSnapshot(
    `"offered_rps achieved_rps goodput_rps throughput_ips capacity_rps latency_mean_ms latency_p50_ms latency_p90_ms latency_p95_ms latency_p99_ms latency_p999_ms latency_max_ms queue_ms compute_ms cpu_util memory_peak_mb network_rx_mb network_tx_mb energy_gross_j energy_net_j energy_per_inference_j energy_net_per_inference_j power_w idle_power_w accuracy_top1 accuracy_top5 model_size_mb params macs"`,
  );
});
