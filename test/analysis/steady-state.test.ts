import { expect, test } from 'vitest';
import { findSteadyStart, testDrift } from '../../src/analysis/index.ts';
import { createRng, type Rng } from '../../src/rng.ts';
import { simulateQueue } from './queue-traces.ts';

const RUNS = 200;

/** A level of 1 plus what is added, times noise with a coefficient of variation of about 0.3. */
function noisy(count: number, rng: Rng, added: (index: number) => number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => (1 + added(index)) * Math.exp(0.3 * rng.normal()));
}

function autoregressive(count: number, correlation: number, rng: Rng): Float64Array {
  let state = rng.normal();
  return Float64Array.from({ length: count }, () => {
    state = correlation * state + Math.sqrt(1 - correlation ** 2) * rng.normal();
    return 10 + state;
  });
}

/** Outcomes over many seeds. */
function decide(makeSeries: (rng: Rng) => Float64Array) {
  const outcomes = Array.from({ length: RUNS }, (_, seed) => findSteadyStart(makeSeries(createRng(seed + 1))));
  const starts = outcomes
    .flatMap((outcome) => (outcome.state === 'steady' ? [outcome.start] : []))
    .sort((a, b) => a - b);
  return {
    steadyShare: starts.length / RUNS,
    medianStart: starts[Math.floor(starts.length / 2)] ?? Number.NaN,
    latestOfMost: starts[Math.floor(0.95 * starts.length)] ?? Number.NaN,
    earliestOfMost: starts[Math.floor(0.05 * starts.length)] ?? Number.NaN,
  };
}

test.each([
  ['100 observations of pure noise', 0.85, (rng: Rng) => noisy(100, rng, () => 0)],
  ['500 observations of pure noise', 0.95, (rng: Rng) => noisy(500, rng, () => 0)],
  ['2,000 observations of noise with a correlation of 0.9', 0.95, (rng: Rng) => autoregressive(2000, 0.9, rng)],
  [
    '2,000 requests to an M/M/1 queue at utilisation 0.7',
    0.95,
    (rng: Rng) => simulateQueue('exponential', 0.7, 2000, rng),
  ],
  ['8,000 requests to an M/D/1 queue at utilisation 0.85', 0.95, (rng: Rng) => simulateQueue('fixed', 0.85, 8000, rng)],
])('%s are steady at once in at least %d of all runs', (_, share, makeSeries) => {
  const { steadyShare, medianStart } = decide(makeSeries);
  expect(steadyShare).toBeGreaterThanOrEqual(share);
  expect(medianStart).toBeLessThanOrEqual(10);
});

test('a level shift is cut at its change point', () => {
  const { steadyShare, medianStart, earliestOfMost, latestOfMost } = decide((rng) =>
    noisy(1000, rng, (index) => (index < 200 ? 1 : 0)),
  );
  expect(steadyShare).toBeGreaterThan(0.95);
  expect(medianStart).toBe(200);
  expect(earliestOfMost).toBeGreaterThanOrEqual(195);
  expect(latestOfMost).toBeLessThanOrEqual(260);
});

test('an exponential decay is cut where it is lost in the noise', () => {
  const { steadyShare, earliestOfMost, latestOfMost } = decide((rng) =>
    noisy(1000, rng, (index) => 3 * Math.exp(-index / 100)),
  );
  expect(steadyShare).toBeGreaterThan(0.75);
  // exp(-2) and exp(-4) of the initial 3.
  expect(earliestOfMost).toBeGreaterThan(200);
  expect(latestOfMost).toBeLessThan(400);
});

test.each([
  ['a level shift in the second half', (rng: Rng) => noisy(1000, rng, (index) => (index < 600 ? 1 : 0))],
  ['a decay that has not ended', (rng: Rng) => noisy(500, rng, (index) => 3 * Math.exp(-index / 1000))],
  ['a drift that never ends', (rng: Rng) => noisy(1000, rng, (index) => index / 1000)],
  ['a queue that is offered more than it can serve', (rng: Rng) => noisy(1000, rng, (index) => index / 10)],
])('%s is not steady', (_, makeSeries) => {
  expect(decide(makeSeries).steadyShare).toBeLessThan(0.05);
});

test('the reason quotes the figures', () => {
  const rng = createRng(1);
  const reasonOf = (series: Float64Array) => {
    const outcome = findSteadyStart(series);
    return outcome.state === 'unsteady' ? outcome.reason : 'steady';
  };
  expect([
    reasonOf(noisy(40, rng, () => 0)),
    reasonOf(noisy(1000, rng, (index) => (index < 600 ? 1 : 0))),
    reasonOf(noisy(2000, rng, (index) => index / 10000)),
  ]).toMatchInlineSnapshot(`
    [
      "40 of at least 100 observations so far",
      "it still settles: MSER-5 would cut 600 of 1000 observations, more than half",
      "it drifts by +21 % over the last 1985 observations (p = 0.000016)",
    ]
  `);
});

test('equal values are steady at once, and a value without a logarithm is refused', () => {
  expect(findSteadyStart(new Float64Array(200).fill(3))).toEqual({ state: 'steady', start: 0 });
  expect(() => findSteadyStart(new Float64Array(200))).toThrow('a value of 0 has no logarithm; use the linear scale');
  expect(findSteadyStart(new Float64Array(200), { scale: 'linear' })).toEqual({ state: 'steady', start: 0 });
});

test('a straight line is all drift', () => {
  const drift = testDrift(
    Float64Array.from({ length: 100 }, (_, index) => 100 + index),
    'linear',
  );
  expect(drift.relativeChange).toBeCloseTo(100 / 149.5, 12);
  expect(drift.p).toBeLessThan(1e-12);
});
