import { expect, test } from 'vitest';
import { describe as moments } from '../../src/analysis/moments.ts';
import { ratioOfMeans as anyRatio } from '../../src/analysis/ratio-of-means.ts';
import { createRng } from '../../src/rng.ts';
import { tCritical } from '../../src/student-t.ts';

/** Of responses that cannot be below 0, as nearly all are. */
const ratioOfMeans = (
  top: Float64Array,
  bottom: Float64Array,
  options: { readonly isPaired: boolean; readonly confidence: number },
) => anyRatio(top, bottom, { isNonNegative: true, ...options });

const of = (...values: number[]) => Float64Array.from(values);

/** The t statistic of mean(a - ratio * b) over pairs, from its definition. */
function pairedT(a: Float64Array, b: Float64Array, ratio: number): number {
  const { mean, sd, n } = moments(a.map((value, at) => value - ratio * (b[at] as number)));
  return mean / (sd / Math.sqrt(n));
}

test('the ends of a paired interval are the ratios at which the t test just rejects', () => {
  const beside = of(15.1, 16.4, 14.2, 17.9);
  const alone = of(10.2, 10.9, 9.7, 11.6);
  const { ratio, interval } = ratioOfMeans(beside, alone, { isPaired: true, confidence: 0.95 });
  expect(ratio).toBeCloseTo(moments(beside).mean / moments(alone).mean, 12);
  if ('reason' in interval) throw new Error(interval.reason);
  expect(pairedT(beside, alone, interval.lo)).toBeCloseTo(tCritical(0.95, 3), 9);
  expect(pairedT(beside, alone, interval.hi)).toBeCloseTo(-tCritical(0.95, 3), 9);
});

test('pairs that share what disturbs them give a narrower interval than the same values unpaired', () => {
  const alone = of(8, 10, 12);
  const beside = of(12.1, 14.9, 18);
  const width = (isPaired: boolean) => {
    const { interval } = ratioOfMeans(beside, alone, { isPaired, confidence: 0.95 });
    return 'reason' in interval ? Number.POSITIVE_INFINITY : interval.hi - interval.lo;
  };
  expect(width(true)).toBeLessThan(width(false) / 10);
});

test('values without any spread have an interval of no length, and one value has none', () => {
  expect(ratioOfMeans(of(6, 6), of(4, 4), { isPaired: true, confidence: 0.95 })).toEqual({
    ratio: 1.5,
    interval: { lo: 1.5, hi: 1.5, isCut: false },
  });
  expect(ratioOfMeans(of(6), of(4), { isPaired: true, confidence: 0.95 })).toEqual({
    ratio: 1.5,
    interval: { reason: '1 pair: an interval needs two' },
  });
  expect(ratioOfMeans(of(6, 5), of(9, -8), { isPaired: false, confidence: 0.95 }).interval).toMatchObject({
    reason: expect.stringContaining('its mean may be 0'),
  });
});

test('what cannot be below 0 has no interval that reaches below it, and the other end stays', () => {
  const [beside, alone] = [of(1, 9, 5), of(5.1, 4.9, 5)];
  const options = { isPaired: true, confidence: 0.95 };
  const { interval: free } = anyRatio(beside, alone, { ...options, isNonNegative: false });
  const { interval: cut } = anyRatio(beside, alone, { ...options, isNonNegative: true });
  if ('reason' in free || 'reason' in cut) throw new Error('no interval');
  expect(free.lo).toBeLessThan(-0.5);
  expect(free.isCut).toBe(false);
  expect(cut).toEqual({ lo: 0, hi: free.hi, isCut: true });
});

test('a cut at 0 takes the truth from no interval: over gamma-distributed values they hold it as often as they say', () => {
  const rng = createRng(21);
  const runs = 4000;
  // A gamma variable of shape 4: mean 1, none below 0, standard deviation 0.5.
  const gamma = () => Array.from({ length: 4 }, () => rng.exponential(4)).reduce((sum, one) => sum + one, 0);
  let held = 0;
  let cut = 0;
  for (let run = 0; run < runs; run++) {
    const blocks = Float64Array.from({ length: 3 }, () => 1 + 0.1 * rng.normal());
    const alone = blocks.map((block) => 10 * block * (1 + 0.05 * rng.normal()));
    const beside = blocks.map((block) => 14 * block * gamma());
    const { interval } = ratioOfMeans(beside, alone, { isPaired: true, confidence: 0.95 });
    if ('reason' in interval) throw new Error(interval.reason);
    expect(interval.lo).toBeGreaterThanOrEqual(0);
    if (interval.isCut) cut++;
    if (interval.lo <= 1.4 && interval.hi >= 1.4) held++;
  }
  expect(cut / runs).toBeGreaterThan(0.3);
  // Skewed values of three replicates cost a little; the cut costs nothing.
  expect(held / runs).toBeGreaterThan(0.92);
});

/** Share of intervals that hold the true ratio of 1.4, over simulated experiments whose blocks differ by 10 % and whose trials by 5 %. */
function coverage(isPaired: boolean, replicates: number): number {
  const rng = createRng(20);
  const runs = 4000;
  let held = 0;
  for (let run = 0; run < runs; run++) {
    const blocks = Float64Array.from({ length: replicates }, () => 1 + 0.1 * rng.normal());
    const draw = (mean: number) => blocks.map((block) => mean * (isPaired ? block : 1) * (1 + 0.05 * rng.normal()));
    const { interval } = ratioOfMeans(draw(14), draw(10), { isPaired, confidence: 0.95 });
    if (!('reason' in interval) && interval.lo <= 1.4 && interval.hi >= 1.4) held++;
  }
  return held / runs;
}

test.each([
  [true, 3],
  [true, 5],
  [true, 10],
  [false, 3],
  [false, 5],
  [false, 10],
])(
  '95 %% intervals hold the true ratio in 95 %% of simulated experiments (paired: %s, %i replicates)',
  (isPaired, replicates) => {
    const share = coverage(isPaired, replicates);
    // Seeded, so these are fixed numbers; the standard error of the simulation is 0.0034.
    expect(share).toBeGreaterThan(0.94);
    expect(share).toBeLessThan(0.97);
  },
);
