import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createArrivalProcess, createRateFunction } from '../../src/load/index.ts';
import type { OfferedLoad, RatePattern } from '../../src/load/types.ts';
import { compiledEntry } from '../../src/package-files.ts';

type OpenLoad = Extract<OfferedLoad, { kind: 'open' }>;
const poisson: OpenLoad = { kind: 'open', rateRps: 50, arrivals: 'poisson', seed: 11, connections: 1 };

function timesOf(load: OpenLoad, count: number): number[] {
  const arrivals = createArrivalProcess(load);
  return Array.from({ length: count }, () => arrivals.nextS());
}

/** Standard deviation of the gaps over their mean. */
function gapVariation(times: readonly number[]): number {
  const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean;
}

const patterns: readonly RatePattern[] = [
  { kind: 'linear-ramp', from: 0, to: 2, overS: 20 },
  { kind: 'linear-ramp', from: 1.5, to: 0.25, overS: 7 },
  { kind: 'exponential-ramp', from: 0.1, to: 4, overS: 15 },
  { kind: 'exponential-ramp', from: 2, to: 0.5, overS: 15 },
  { kind: 'step', base: 0.5, level: 2, atS: 6 },
  { kind: 'step', base: 1, level: 5, atS: 6, forS: 1.5 },
  { kind: 'step', base: 0, level: 3, atS: 2, forS: 4 },
  { kind: 'sine', amplitude: 0.8, periodS: 10 },
  { kind: 'sine', amplitude: 1, periodS: 3 },
  { kind: 'trace', rates: [10, 0, 0, 30, 5, 12] },
];

describe('Poisson arrivals', () => {
  test('have gaps that vary as much as their mean', () => {
    const times = timesOf(poisson, 50_000);
    expect(gapVariation(times)).toBeGreaterThan(0.97);
    expect(gapVariation(times)).toBeLessThan(1.03);
    expect(50_000 / (times.at(-1) ?? 0)).toBeCloseTo(50, 0);
  });

  test('are the same for the same seed in a new process, and others for another seed', () => {
    const script = `
      import { createArrivalProcess } from ${JSON.stringify(compiledEntry('load/index'))};
      const arrivals = createArrivalProcess(${JSON.stringify(poisson)});
      process.stdout.write(JSON.stringify(Array.from({ length: 1000 }, () => arrivals.nextS())));`;
    const elsewhere = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(JSON.parse(elsewhere)).toEqual(timesOf(poisson, 1000));
    expect(timesOf({ ...poisson, seed: 12 }, 1000)).not.toEqual(timesOf(poisson, 1000));
  });
});

test('constant arrivals have equal gaps', () => {
  const times = timesOf({ ...poisson, arrivals: 'constant' }, 50_000);
  expect(gapVariation(times)).toBeLessThan(1e-9);
  expect(times[0]).toBeCloseTo(1 / 50, 12);
  expect(times[49_999]).toBeCloseTo(1000, 9);
});

describe.each(patterns.map((pattern) => ({ name: JSON.stringify(pattern), pattern })))(
  'the pattern $name',
  ({ pattern }) => {
    const rate = createRateFunction(40, pattern);

    test('sends as many requests as its rate adds up to', () => {
      // A second way to the integral: many small steps of the rate itself.
      const steps = 200_000;
      let expected = 0;
      for (let index = 0; index < steps; index++)
        expected += (rate.rateAtRps(((index + 0.5) * 30) / steps) * 30) / steps;
      expect(rate.expectedAt(30)).toBeCloseTo(expected, 1);
      const constant = timesOf({ ...poisson, rateRps: 40, arrivals: 'constant', pattern }, Math.ceil(expected) + 5);
      expect(constant.filter((time) => time <= 30).length).toBe(Math.floor(rate.expectedAt(30) + 1e-9));
      let total = 0;
      for (let seed = 0; seed < 20; seed++) {
        total += timesOf({ ...poisson, rateRps: 40, seed, pattern }, Math.ceil(expected * 1.5) + 50).filter(
          (time) => time <= 30,
        ).length;
      }
      // Poisson counts have their mean for variance: five standard errors.
      expect(Math.abs(total / 20 - expected)).toBeLessThan(5 * Math.sqrt(expected / 20));
    });

    test('finds the time of each count again, and never goes back', () => {
      fc.assert(
        fc.property(fc.double({ min: 0, max: 1500, noNaN: true }), (count) => {
          const timeS = rate.timeOfS(count);
          if (timeS === Number.POSITIVE_INFINITY) expect(rate.expectedAt(1e6)).toBeLessThan(count);
          else expect(rate.expectedAt(timeS)).toBeCloseTo(count, 6);
        }),
      );
      const times = timesOf({ ...poisson, pattern }, 3000).filter(Number.isFinite);
      expect(times.every((time, index) => time >= (times[index - 1] ?? 0))).toBe(true);
    });
  },
);

test('a trace is scaled to the mean rate, whatever unit it is in', () => {
  const perMinute = createRateFunction(40, { kind: 'trace', rates: [600, 1800] });
  expect(perMinute.expectedAt(2)).toBeCloseTo(80, 9);
  expect([perMinute.rateAtRps(0.5), perMinute.rateAtRps(1.5), perMinute.rateAtRps(2.5)]).toEqual([20, 60, 20]);
});

test('a load that ends in silence sends no more', () => {
  const load: OpenLoad = {
    ...poisson,
    arrivals: 'constant',
    rateRps: 10,
    pattern: { kind: 'step', base: 1, level: 0, atS: 1 },
  };
  expect(timesOf(load, 12).slice(9)).toEqual([1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

describe('refused', () => {
  test.each<[number, RatePattern | undefined, string]>([
    [0, undefined, 'a rate of 0 requests/s cannot be offered'],
    [10, { kind: 'linear-ramp', from: -1, to: 2, overS: 5 }, 'linear-ramp: from -1 cannot be offered'],
    [10, { kind: 'exponential-ramp', from: 0, to: 2, overS: 5 }, 'an exponential-ramp from 0 to 2 cannot be offered'],
    [10, { kind: 'sine', amplitude: 1.5, periodS: 5 }, 'a sine of amplitude 1.5 cannot be offered'],
    [10, { kind: 'step', base: 1, level: 2, atS: 1, forS: 0 }, 'step: forS 0 cannot be offered'],
    [10, { kind: 'trace', rates: [0, 0] }, 'a trace of 2 rates that add up to 0 cannot be offered'],
  ])('%s requests/s with %j', (rateRps, pattern, message) => {
    expect(() => createRateFunction(rateRps, pattern)).toThrow(message);
  });
});
