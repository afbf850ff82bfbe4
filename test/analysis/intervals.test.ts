import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type IntervalOutcome,
  intervalsOverReplicates,
  intervalsWithinTrial,
  leastRequests,
  requestsForPrecision,
  type Statistic,
} from '../../src/analysis/index.ts';
import { createRng, deriveSeed } from '../../src/rng.ts';
import { queueTruth, simulateQueue } from './queue-traces.ts';

const STATISTICS = ['mean', 'p50', 'p95', 'p99'] as const;

function expectCoverage(outcomes: readonly IntervalOutcome[], truth: number) {
  const printed = outcomes.filter((outcome) => outcome.kind === 'interval');
  expect(printed).toHaveLength(outcomes.length);
  const covered = printed.filter(({ lo, hi }) => lo <= truth && truth <= hi).length;
  // 95 % give or take three standard errors of 400 runs; benchmarks/interval-coverage.ts looks closer.
  expect(covered / outcomes.length).toBeGreaterThan(0.917);
  expect(covered / outcomes.length).toBeLessThan(0.983);
}

describe.each([0.3, 0.5])('of an M/M/1 queue at utilisation %d', (utilization) => {
  const dependence = { kind: 'open', utilization } as const;

  test.each(STATISTICS)('the %s is covered in about 95 of 100 windows that are just long enough', (statistic) => {
    const count = leastRequests(statistic, dependence);
    const outcomes = Array.from({ length: 400 }, (_, run) =>
      intervalsWithinTrial(
        simulateQueue('exponential', utilization, count, createRng(deriveSeed(run, 'window', statistic))),
        { dependence },
      ),
    ).map((intervals) => intervals[statistic]);
    expectCoverage(outcomes, queueTruth('exponential', utilization)[statistic]);
  });

  test.each(STATISTICS)('the %s is covered in about 95 of 100 sets of replicates that just suffice', (statistic) => {
    // Six replicates that must be put together in pairs.
    const count = Math.ceil(leastRequests(statistic, dependence) / 10);
    const outcomes = Array.from({ length: 400 }, (_, run) => {
      const rng = createRng(deriveSeed(run, 'replicates', statistic));
      const replicates = Array.from({ length: 6 }, () => simulateQueue('exponential', utilization, count, rng));
      return intervalsOverReplicates(replicates, { dependence })[statistic];
    });
    expectCoverage(outcomes, queueTruth('exponential', utilization)[statistic]);
  });
});

test('the mean of a closed loop is covered in about 95 of 100 windows that are just long enough', () => {
  // Eight clients at one exponential worker: each request waits for its own service and the seven before it.
  const clients = 8;
  const dependence = { kind: 'closed', concurrency: clients } as const;
  const count = leastRequests('mean', dependence);
  const outcomes = Array.from({ length: 400 }, (_, run) => {
    const rng = createRng(deriveSeed(run, 'closed'));
    const services = Array.from({ length: count + clients }, () => rng.exponential(1));
    const latencies = Float64Array.from({ length: count }, (_, request) =>
      services.slice(request, request + clients).reduce((total, service) => total + service, 0),
    );
    return intervalsWithinTrial(latencies, { dependence }).mean;
  });
  expectCoverage(outcomes, clients);
});

test('where a window goes on until the interval is narrow, only the honest spread keeps the coverage', () => {
  const dependence = { kind: 'open', utilization: 0.3 } as const;
  const least = leastRequests('mean', dependence);
  const coverageOf = (isStoppedByWidth: boolean) => {
    let covered = 0;
    for (let run = 0; run < 200; run++) {
      const latencies = simulateQueue('exponential', 0.3, 8 * least, createRng(deriveSeed(run, 'stopping')));
      for (let count = least; ; count += Math.ceil(least / 2)) {
        const seen = latencies.subarray(0, count);
        const { mean } = intervalsWithinTrial(seen, { dependence, isStoppedByWidth });
        if (mean.kind === 'none') throw new Error(mean.reason);
        if (count < latencies.length && mean.hi - mean.lo > 0.1 * mean.estimate) continue;
        if (mean.lo <= 1 / 0.7 && 1 / 0.7 <= mean.hi) covered++;
        break;
      }
    }
    return covered / 200;
  };
  expect(coverageOf(true)).toBeGreaterThan(0.91);
  expect(coverageOf(false)).toBeLessThan(0.9);
});

const MEDIUM = { dependence: { kind: 'open', utilization: 0.6 } } as const;

test('whether an interval is printed depends on the load and the number of requests, not on the latencies', () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(...STATISTICS), fc.constantFrom(-1, 0), (seed, statistic, missing) => {
      const count = leastRequests(statistic, MEDIUM.dependence) + missing;
      const outcome = intervalsWithinTrial(simulateQueue('exponential', 0.6, count, createRng(seed)), MEDIUM)[
        statistic
      ];
      expect(outcome.kind).toBe(missing === 0 ? 'interval' : 'none');
    }),
    { numRuns: 20 },
  );
});

test('an interval holds its estimate, lies within the range and is wider at a higher confidence', () => {
  const statistics: readonly Statistic[] = ['mean', 'p50', 'p90', 'p95', 'p99'];
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(...statistics), (seed, statistic) => {
      const latencies = simulateQueue('fixed', 0.6, 12_000, createRng(seed));
      const narrow = intervalsWithinTrial(latencies, { ...MEDIUM, confidence: 0.9 })[statistic];
      const wide = intervalsWithinTrial(latencies, { ...MEDIUM, confidence: 0.99 })[statistic];
      if (narrow.kind === 'none' || wide.kind === 'none') throw new Error('no interval');
      const order = [Math.min(...latencies), wide.lo, narrow.lo, narrow.estimate, narrow.hi, wide.hi];
      expect(order.toSorted((a, b) => a - b)).toEqual(order);
      if (statistic !== 'mean') expect(wide.hi).toBeLessThanOrEqual(Math.max(...latencies));
    }),
    { numRuns: 20 },
  );
});

test('higher percentiles have higher estimates', () => {
  const latencies = simulateQueue('exponential', 0.3, 20_000, createRng(4));
  const intervals = intervalsWithinTrial(latencies, { dependence: { kind: 'closed', concurrency: 1 } });
  const estimates = (['p50', 'p90', 'p95', 'p99', 'p999'] as const).map((statistic) => {
    const outcome = intervals[statistic];
    return outcome.kind === 'interval' ? outcome.estimate : Number.NaN;
  });
  expect(estimates.toSorted((a, b) => a - b)).toEqual(estimates);
});

const reasonOf = (outcome: IntervalOutcome) => (outcome.kind === 'none' ? outcome.reason : 'an interval');

test('an empty cell says what it would take', () => {
  const short = new Float64Array(1000).fill(1);
  const medium = { dependence: { kind: 'open', utilization: 0.7 } } as const;
  expect([
    reasonOf(intervalsWithinTrial(short, medium).p99),
    reasonOf(intervalsWithinTrial(short, medium).mean),
    reasonOf(intervalsWithinTrial(short.subarray(0, 5), medium).mean),
    reasonOf(intervalsWithinTrial(new Float64Array(), medium).mean),
    reasonOf(intervalsWithinTrial(short, { dependence: { kind: 'closed', concurrency: 64 } }).mean),
    reasonOf(intervalsWithinTrial(short, { dependence: { kind: 'open', utilization: 1.2 } }).mean),
    reasonOf(intervalsOverReplicates([short, short], medium).p99),
    reasonOf(intervalsOverReplicates([], medium).p99),
    reasonOf(
      intervalsOverReplicates(
        [1, 2, 90].map((level) => new Float64Array(4000).fill(level)),
        medium,
      ).mean,
    ),
  ]).toMatchInlineSnapshot(`
    [
      "1000 requests; at a utilization of 0.7 an interval of the p99 takes 13280, a window 14 times as long",
      "1000 requests; at a utilization of 0.7 an interval of the mean takes 9960, a window 10.0 times as long",
      "5 requests; at a utilization of 0.7 an interval of the mean takes 9960, a window 1992 times as long",
      "0 requests; at a utilization of 0.7 an interval of the mean takes 9960, a window many times as long",
      "1000 requests; at a concurrency of 64 an interval of the mean takes 19200, a window 20 times as long",
      "the offered load is at or above the capacity, so latency grows without end and has no interval",
      "2 replicates; at a utilization of 0.7 an interval of the p99 takes 9 of their length (1000 requests), or 3 of 2656 requests",
      "0 replicates; at a utilization of 0.7 an interval of the p99 takes 3 of 2656 requests",
      "the 3 replicates differ by more than their own size; it takes more of them",
    ]
  `);
});

test('what an empty cell asks for is enough', () => {
  const outcome = intervalsWithinTrial(new Float64Array(10), MEDIUM).p95;
  if (outcome.kind === 'interval') throw new Error('an interval from ten requests');
  expect(intervalsWithinTrial(new Float64Array(outcome.neededRequests).fill(2), MEDIUM).p95).toEqual({
    kind: 'interval',
    estimate: 2,
    lo: 2,
    hi: 2,
    method: '95 %, 5 batch means, t on the share below the percentile',
  });
});

test('replicates that differ from launch to launch widen the interval', () => {
  const rng = createRng(8);
  const alike = Array.from({ length: 5 }, () => simulateQueue('fixed', 0.6, 4000, rng));
  const different = alike.map((latencies, index) => latencies.map((latency) => latency * (1 + 0.1 * index)));
  const widthOf = (replicates: readonly Float64Array[]) => {
    const outcome = intervalsOverReplicates(replicates, MEDIUM).mean;
    return outcome.kind === 'interval' ? (outcome.hi - outcome.lo) / outcome.estimate : Number.NaN;
  };
  expect(widthOf(different)).toBeGreaterThan(2 * widthOf(alike));
});

test('the requests for a precision bring about that precision', () => {
  const light = { dependence: { kind: 'open', utilization: 0.3 } } as const;
  const count = requestsForPrecision('p95', light.dependence, 0.1);
  const widths = Array.from({ length: 40 }, (_, seed) => {
    const outcome = intervalsWithinTrial(simulateQueue('exponential', 0.3, count, createRng(seed)), light).p95;
    return outcome.kind === 'interval' ? (outcome.hi - outcome.lo) / 2 / outcome.estimate : Number.NaN;
  }).sort((a, b) => a - b);
  expect(widths[20]).toBeGreaterThan(0.04);
  expect(widths[20]).toBeLessThan(0.12);
  expect(requestsForPrecision('p95', light.dependence, 0.05)).toBeGreaterThan(3.9 * count);
  expect(() => requestsForPrecision('p95', light.dependence, 0)).toThrow('a relative half-width of 0 is not positive');
});
