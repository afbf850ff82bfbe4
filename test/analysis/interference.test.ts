import { expect, test } from 'vitest';
import { analyzeTable, type CellValue, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';

type Record_ = Readonly<Record<string, CellValue>>;

const FACTORS = ['threads', 'colocated', 'placement'];

function interferenceOf(records: readonly Record_[], factors = FACTORS) {
  const analysis = analyzeTable(tableFromRecords(records, factors), {
    factors,
    objectives: [{ response: 'latency_p50_ms', direction: 'minimize' }],
    contexts: [],
  });
  const { columns, rows } = (RESULT_TABLES['interference.csv'] as (typeof RESULT_TABLES)[string])(analysis);
  return [...rows].map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])));
}

/** Three blocks that differ, in each a server of one and of two threads, alone and beside a neighbour that slows it by a half. */
function knownTrials(): Record_[] {
  const trials: Record_[] = [];
  for (const [at, block] of [1, 1.1, 0.9].entries()) {
    for (const threads of ['1', '2']) {
      for (const [colocated, placement, slowdown] of [
        ['none', 'apart', 1],
        ['n', 'apart', 1.5],
        ['n', 'together', 3],
      ] as const) {
        trials.push({
          ...{ trial_id: `${trials.length}`, state: 'done', verdict: 'valid', block: at + 1, threads },
          ...{ colocated, placement, throughput_ips: (100 * Number(threads)) / block / slowdown },
          latency_p50_ms: (10 / Number(threads)) * block * slowdown,
          run_order: trials.length + 1,
        });
      }
    }
  }
  return trials;
}

test('every neighbour is compared with the same configuration alone, whatever its placement, response by response', () => {
  const rows = interferenceOf(knownTrials());
  expect(rows.map(({ neighbour, threads, placement, response }) => [neighbour, threads, placement, response])).toEqual(
    ['1', '2'].flatMap((threads) =>
      ['apart', 'together'].flatMap((placement) => [
        ['n', threads, placement, 'throughput_ips'],
        ['n', threads, placement, 'latency_p50_ms'],
      ]),
    ),
  );
  for (const row of rows) {
    const slowdown = row.placement === 'apart' ? 1.5 : 3;
    const ratio = row.response === 'latency_p50_ms' ? slowdown : 1 / slowdown;
    expect(row.ratio).toBeCloseTo(ratio, 12);
    expect(row.slowdown).toBeCloseTo(slowdown, 12);
    // The blocks disturb both sides alike, so pairs leave nothing uncertain.
    expect(row.slowdown_lo).toBeCloseTo(slowdown, 6);
    expect(row.slowdown_hi).toBeCloseTo(slowdown, 6);
    expect(row).toMatchObject({ n_alone: 3, n_beside: 3, confidence: 0.95, empty_because: undefined });
    expect(row.method).toBe("ratio of means over replicates, Fieller's interval, paired by block");
  }
});

test('an interval is cut at 0 and says so where the response cannot be below it, and only there', () => {
  const trials = knownTrials()
    .filter(({ placement, threads }) => placement === 'apart' && threads === '1')
    .map(({ block, threads, colocated, placement }, at) => {
      const value = colocated === 'none' ? 10 : ([1, 9, 5][Math.floor(at / 2)] as number);
      // Without trial_id it is anyone's table, of which every column of numbers is a response.
      return { ...{ block, threads, colocated, placement }, latency_p50_ms: value, energy_net_j: value, mine: value };
    });
  const rows = new Map(interferenceOf(trials).map((row) => [row.response, row]));
  expect(rows.get('latency_p50_ms')).toMatchObject({
    ...{ ratio: 0.5, ratio_lo: 0, slowdown_lo: 0 },
    method: "ratio of means over replicates, Fieller's interval cut at 0, paired by block",
  });
  for (const response of ['energy_net_j', 'mine']) {
    const row = rows.get(response);
    expect(row?.ratio_lo).toBeLessThan(-0.4);
    expect(row?.method).toBe("ratio of means over replicates, Fieller's interval, paired by block");
    expect(row?.ratio_hi).toBe(rows.get('latency_p50_ms')?.ratio_hi);
  }
});

test('a trial that is invalid or missing leaves its block out, and says so where nothing is left', () => {
  const trials = knownTrials().map((trial) =>
    trial.colocated === 'n' && trial.placement === 'together' && trial.block !== 2
      ? { ...trial, verdict: 'invalid' }
      : trial,
  );
  const [one] = interferenceOf(trials).filter(({ placement }) => placement === 'together');
  expect(one).toMatchObject({ n_alone: 3, n_beside: 1, empty_because: '1 pair: an interval needs two' });
  expect(one?.slowdown).toBeCloseTo(3, 12);
  expect(one?.slowdown_lo).toBeUndefined();

  const none = interferenceOf(
    trials.map((trial) => (trial.colocated === 'n' ? { ...trial, verdict: 'invalid' } : trial)),
  );
  expect(none[0]).toMatchObject({ n_beside: 0, empty_because: 'no valid trial beside the neighbour has it' });
});

test('a neighbour without the configuration alone has no slowdown, and a table without the level none has no rows', () => {
  const trials = knownTrials().filter(({ threads, colocated }) => threads === '1' || colocated !== 'none');
  const two = interferenceOf(trials).find(({ threads }) => threads === '2');
  expect(two).toMatchObject({ slowdown: undefined, empty_because: 'no trial of this configuration alone' });
  expect(interferenceOf(knownTrials().filter(({ colocated }) => colocated !== 'none'))).toEqual([]);
  expect(interferenceOf(knownTrials(), ['threads'])).toEqual([]);
});
