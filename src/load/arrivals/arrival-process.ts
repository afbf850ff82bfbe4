import { createRng } from '../../rng.ts';
import type { Arrivals } from '../../spec/types.ts';
import type { OfferedLoad } from '../types.ts';
import { createRateFunction } from './rate-functions.ts';
import type { ArrivalProcess, RateFunction } from './types.ts';

/**
 * Poisson arrivals at a rate that may change: exponential gaps of mean 1, stretched by the inverse of the integrated rate.
 *
 * Source: the time-rescaling theorem; Cinlar, Introduction to Stochastic Processes (1975), chapter 4.7.
 */
function createPoisson(rate: RateFunction, seed: number): ArrivalProcess {
  const rng = createRng(seed);
  let expected = 0;
  return {
    nextS: () => {
      expected += rng.exponential(1);
      return rate.timeOfS(expected);
    },
  };
}

/** The deterministic twin: a request whenever the integrated rate reaches the next whole number, so that gaps are equal where the rate is. */
function createConstant(rate: RateFunction): ArrivalProcess {
  let count = 0;
  return { nextS: () => rate.timeOfS(++count) };
}

export const arrivalProcesses: Readonly<Record<Arrivals, (rate: RateFunction, seed: number) => ArrivalProcess>> = {
  poisson: createPoisson,
  constant: createConstant,
};

/**
 * The intended times of an open-loop load.
 * @throws LoadError for a rate or a pattern that cannot be
 */
export function createArrivalProcess(load: Extract<OfferedLoad, { kind: 'open' }>): ArrivalProcess {
  return arrivalProcesses[load.arrivals](createRateFunction(load.rateRps, load.pattern), load.seed);
}
