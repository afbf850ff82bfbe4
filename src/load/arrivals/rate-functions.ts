import { LoadError } from '../../errors.ts';
import { unreachable } from '../../unreachable.ts';
import type { RatePattern } from '../types.ts';
import type { RateFunction } from './types.ts';

/**
 * The rate of an open-loop load over time.
 * @throws LoadError for a rate or a pattern that cannot be, with all that is wrong with it
 */
export function createRateFunction(rateRps: number, pattern: RatePattern | undefined): RateFunction {
  demand(rateRps > 0, `a rate of ${rateRps} requests/s`, 'Give a rate above 0.');
  if (pattern === undefined) return constantRate(rateRps);
  switch (pattern.kind) {
    case 'linear-ramp':
      return linearRamp(rateRps, pattern);
    case 'exponential-ramp':
      return exponentialRamp(rateRps, pattern);
    case 'step':
      return step(rateRps, pattern);
    case 'sine':
      return sine(rateRps, pattern);
    case 'trace':
      return trace(rateRps, pattern.rates);
    default:
      return unreachable(pattern);
  }
}

type Pattern<Kind extends RatePattern['kind']> = Extract<RatePattern, { kind: Kind }>;

function constantRate(rateRps: number): RateFunction {
  return {
    rateAtRps: () => rateRps,
    expectedAt: (timeS) => rateRps * timeS,
    timeOfS: (expected) => (expected === 0 ? 0 : expected / rateRps),
  };
}

function linearRamp(rateRps: number, { from, to, overS }: Pattern<'linear-ramp'>): RateFunction {
  demandLevels('linear-ramp', { from, to });
  demandDuration('linear-ramp', { overS });
  const startRps = from * rateRps;
  const slope = ((to - from) * rateRps) / overS;
  return followedBy(
    overS,
    {
      rateAtRps: (timeS) => startRps + slope * timeS,
      expectedAt: (timeS) => timeS * (startRps + (slope * timeS) / 2),
      // The root of the quadratic in the form that does not cancel when the slope is small.
      timeOfS: (expected) =>
        expected === 0 ? 0 : (2 * expected) / (startRps + Math.sqrt(Math.max(0, startRps ** 2 + 2 * slope * expected))),
    },
    constantRate(to * rateRps),
  );
}

function exponentialRamp(rateRps: number, { from, to, overS }: Pattern<'exponential-ramp'>): RateFunction {
  demandLevels('exponential-ramp', { from, to });
  demandDuration('exponential-ramp', { overS });
  demand(from > 0 && to > 0, `an exponential-ramp from ${from} to ${to}`, 'Both levels must be above 0.');
  if (from === to) return constantRate(from * rateRps);
  const startRps = from * rateRps;
  const growth = Math.log(to / from) / overS;
  return followedBy(
    overS,
    {
      rateAtRps: (timeS) => startRps * Math.exp(growth * timeS),
      expectedAt: (timeS) => (startRps * Math.expm1(growth * timeS)) / growth,
      timeOfS: (expected) => Math.log1p((growth * expected) / startRps) / growth,
    },
    constantRate(to * rateRps),
  );
}

function step(rateRps: number, { base, level, atS, forS }: Pattern<'step'>): RateFunction {
  demandLevels('step', { base, level });
  demand(atS >= 0, `a step at ${atS} s`, 'Give a time of 0 s or later.');
  const after = constantRate(level * rateRps);
  if (forS === undefined) return followedBy(atS, constantRate(base * rateRps), after);
  demandDuration('step', { forS });
  return followedBy(atS, constantRate(base * rateRps), followedBy(forS, after, constantRate(base * rateRps)));
}

function sine(rateRps: number, { amplitude, periodS }: Pattern<'sine'>): RateFunction {
  demand(
    amplitude >= 0 && amplitude <= 1,
    `a sine of amplitude ${amplitude}`,
    'Give an amplitude from 0 to 1, a share of the rate.',
  );
  demandDuration('sine', { periodS });
  const angular = (2 * Math.PI) / periodS;
  const expectedAt = (timeS: number) => rateRps * (timeS + (amplitude * (1 - Math.cos(angular * timeS))) / angular);
  return {
    rateAtRps: (timeS) => rateRps * (1 + amplitude * Math.sin(angular * timeS)),
    expectedAt,
    // The wave runs ahead of its mean by at most 2 * amplitude / angular seconds' worth, and never behind it.
    timeOfS: (expected) => {
      const atMeanS = expected / rateRps;
      return bisect(expectedAt, expected, Math.max(0, atMeanS - (2 * amplitude) / angular), atMeanS);
    },
  };
}

/** One rate a second over and over, scaled to a mean of `meanRps`. */
function trace(meanRps: number, rates: readonly number[]): RateFunction {
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  demand(
    rates.length > 0 && rates.every((rate) => rate >= 0 && Number.isFinite(rate)) && total > 0,
    `a trace of ${rates.length} rates that add up to ${total}`,
    'Give one rate per second, none below 0 and not all of them 0.',
  );
  const lengthS = rates.length;
  const levels = rates.map((rate) => (rate * meanRps * lengthS) / total);
  /** Requests expected before each second of the trace, and at its end. */
  const before = [0];
  for (const level of levels) before.push((before.at(-1) ?? 0) + level);
  const perRound = meanRps * lengthS;
  const at = (list: readonly number[], index: number) => list[index] ?? Number.NaN;
  return {
    rateAtRps: (timeS) => at(levels, Math.floor(timeS) % lengthS),
    expectedAt: (timeS) => {
      const round = Math.floor(timeS / lengthS);
      const withinS = timeS - round * lengthS;
      const second = Math.min(Math.floor(withinS), lengthS - 1);
      return round * perRound + at(before, second) + at(levels, second) * (withinS - second);
    },
    timeOfS: (expected) => {
      if (expected === 0) return 0;
      // The end of a round belongs to it, so that a trace that ends in silence does not push its last request into the next.
      const round = Math.ceil(expected / perRound) - 1;
      const within = Math.min(expected - round * perRound, at(before, lengthS));
      const second = firstAtLeast(before, within) - 1;
      return round * lengthS + second + (within - at(before, second)) / at(levels, second);
    },
  };
}

/** The first function for `forS` seconds, the second from then on, its own time starting there. */
function followedBy(forS: number, first: RateFunction, second: RateFunction): RateFunction {
  const expectedFirst = first.expectedAt(forS);
  return {
    rateAtRps: (timeS) => (timeS < forS ? first.rateAtRps(timeS) : second.rateAtRps(timeS - forS)),
    expectedAt: (timeS) => (timeS <= forS ? first.expectedAt(timeS) : expectedFirst + second.expectedAt(timeS - forS)),
    timeOfS: (expected) =>
      expected <= expectedFirst
        ? Math.min(first.timeOfS(expected), forS)
        : forS + second.timeOfS(expected - expectedFirst),
  };
}

/** Index of the first entry of an ascending list that is at least `value`; at least 1. */
function firstAtLeast(ascending: readonly number[], value: number): number {
  let low = 1;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where a function that does not decrease reaches a value, to the last bit of a double. */
function bisect(increasing: (x: number) => number, value: number, low: number, high: number): number {
  while (true) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return high;
    if (increasing(middle) >= value) high = middle;
    else low = middle;
  }
}

function demandLevels(pattern: string, levels: Readonly<Record<string, number>>): void {
  for (const [name, level] of Object.entries(levels)) {
    demand(
      level >= 0 && Number.isFinite(level),
      `${pattern}: ${name} ${level}`,
      'A level is a multiple of the rate, 0 or more.',
    );
  }
}

function demandDuration(pattern: string, durations: Readonly<Record<string, number>>): void {
  for (const [name, seconds] of Object.entries(durations)) {
    demand(seconds > 0 && Number.isFinite(seconds), `${pattern}: ${name} ${seconds}`, 'Give seconds, above 0.');
  }
}

function demand(holds: boolean, what: string, hint: string): void {
  if (!holds) throw new LoadError({ what: `${what} cannot be offered`, hint });
}
