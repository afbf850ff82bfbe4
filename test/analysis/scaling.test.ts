import { expect, test } from 'vitest';
import { analyzeTable, type CellValue, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';
import { KNOWN_FACTORS, knownTable } from './known-effects.ts';

function read(name: string, records: readonly Readonly<Record<string, CellValue>>[], factors: readonly string[]) {
  const analysis = analyzeTable(tableFromRecords(records, factors), {
    factors,
    objectives: [{ response: 'throughput_ips', direction: 'maximize' }],
    contexts: [],
  });
  const { columns, rows } = (RESULT_TABLES[name] as (typeof RESULT_TABLES)[string])(analysis);
  return [...rows].map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}

const usl = (amount: number, contention: number, coherency: number) =>
  (100 * amount) / (1 + contention * (amount - 1) + coherency * amount * (amount - 1));

test('a server with known contention and coherency is recovered exactly, with its peak', () => {
  const records = [1, 2, 4, 8, 16].map((threads) => ({ threads, throughput_ips: usl(threads, 0.05, 0.01) }));
  const rows = read('scaling.csv', records, ['threads']);
  expect(rows).toHaveLength(5);
  expect(rows[0]?.usl_contention).toBeCloseTo(0.05, 9);
  expect(rows[0]?.usl_coherency).toBeCloseTo(0.01, 9);
  expect(rows[0]?.usl_peak).toBeCloseTo(Math.sqrt(0.95 / 0.01), 6);
  expect(rows[1]).toMatchObject({ amount: 2, at_threads: undefined });
  expect(rows[1]?.efficiency).toBeCloseTo(usl(2, 0.05, 0.01) / 100 / 2, 12);
});

test("Amdahl's serial share is that of a server without coherency cost, each other factor by itself", () => {
  const records = [0.1, 0.4].flatMap((serial) =>
    [1, 2, 4].map((cpus) => ({ model: `s${serial}`, cpus, throughput_ips: usl(cpus, serial, 0) })),
  );
  const rows = read('scaling.csv', records, ['model', 'cpus']);
  expect(
    rows.filter(({ amount }) => amount === 1).map(({ at_model, amdahl_serial }) => [at_model, amdahl_serial]),
  ).toEqual([
    ['s0.1', expect.closeTo(0.1, 9)],
    ['s0.4', expect.closeTo(0.4, 9)],
  ]);
});

test('the interval of the serial share covers it in about 95 of 100 noisy curves', () => {
  const rng = createRng(5);
  let covered = 0;
  for (let run = 0; run < 200; run++) {
    const records = [1, 2, 4, 8].flatMap((threads) =>
      [1, 2, 3].map(() => ({ threads, throughput_ips: usl(threads, 0.2, 0) * Math.exp(0.02 * rng.normal()) })),
    );
    const [row] = read('scaling.csv', records, ['threads']);
    if ((row?.amdahl_serial_lo as number) <= 0.2 && (row?.amdahl_serial_hi as number) >= 0.2) covered++;
  }
  expect(covered).toBeGreaterThanOrEqual(178);
});

test('the knee of a load curve is where latency begins to grow faster than throughput', () => {
  // M/M/1 with service time 10 ms: power is greatest at half of capacity.
  const records = [0.1, 0.3, 0.5, 0.7, 0.9].map((utilization) => ({
    load: `u${utilization}`,
    achieved_rps: 100 * utilization,
    latency_mean_ms: 10 / (1 - utilization),
    throughput_ips: 1,
  }));
  const rows = read('load-curves.csv', records, ['load']);
  expect(rows.filter(({ is_knee }) => is_knee === true).map(({ load }) => load)).toEqual(['u0.5']);
});

test('a predictor that only two models have cannot tell anything, and says so; one with spread can', () => {
  const records = knownTable({ seed: 1, replicates: 1, noise: 0.02 }).map((row) => ({
    ...row,
    compute_ms: (row.latency_p99_ms as number) * 0.8,
  }));
  const rows = read('predictors.csv', records, KNOWN_FACTORS);
  const find = (predictor: string) =>
    rows.find((row) => row.predictor === predictor && row.response === 'latency_p99_ms' && row.context === 'all');
  expect(find('macs')).toMatchObject({
    n: 2,
    configurations: 24,
    pearson: undefined,
    empty_because: 'macs has 2 distinct values; a correlation needs 3',
  });
  expect(find('compute_ms')?.spearman).toBeCloseTo(1, 12);
});

test('a capacity found once for each launch counts once for each, as a predictor and as a response', () => {
  // Four servers of two loads in two blocks; one trial is missing.
  const capacities = [100, 130, 160, 400];
  const records = [1, 2].flatMap((block) =>
    capacities.flatMap((capacity, server) =>
      ['low', 'high'].map((load, at) => ({
        ...{ trial_id: `${block}${server}${load}`, block, threads: `${server + 1}`, load },
        ...{ macs: [10, 10, 20, 30][server], capacity_rps: capacity + 10 * block, throughput_ips: capacity / (2 - at) },
        ...{ compute_ms: [8, 4, 6, 1][server] as number, latency_mean_ms: 1000 / capacity + at },
      })),
    ),
  );
  const rows = read('predictors.csv', records.slice(1), ['threads', 'load']);
  const find = (predictor: string, response: string) =>
    rows
      .filter((row) => row.predictor === predictor && row.response === response)
      .map(({ context, n, configurations, spearman, empty_because }) => ({
        ...{ context, n, configurations },
        told: spearman ?? empty_because,
      }));
  const withinAll = [
    { context: 'all', n: 4, configurations: 8, told: -1 },
    { context: 'load=high', n: 4, configurations: 4, told: -1 },
    { context: 'load=low', n: 4, configurations: 4, told: -1 },
  ];
  expect(find('capacity_rps', 'latency_mean_ms')).toEqual(withinAll);
  // Ranks 4 2 3 1 against 1 2 3 4: squares of differences 9 + 0 + 0 + 9, rho = 1 - 6 * 18 / 60.
  expect(find('compute_ms', 'capacity_rps')).toEqual([
    { context: 'all', n: 4, configurations: 4, told: expect.closeTo(-0.8, 12) },
  ]);
  expect(find('macs', 'capacity_rps')).toEqual([
    { context: 'all', n: 3, configurations: 4, told: expect.closeTo(1, 12) },
  ]);
});
