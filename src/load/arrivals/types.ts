/**
 * When requests are to be sent: the intended times of one open-loop load, one after another.
 *
 * `nextS` gives seconds since the start of the load. Times never decrease; Infinity means that no request will ever follow, and once given it is given again.
 * Times are made as they are asked for, so a load may go on for hours. A process belongs to one load and is not shared. The same rate, pattern and seed
 * give the same times in every process and on every machine, however often and however late they are asked for: nothing here reads a clock.
 */
export interface ArrivalProcess {
  nextS(): number;
}

/**
 * A rate over time, as what it adds up to.
 *
 * `timeOfS(n)` is the time at which n requests are expected to have arrived: the inverse of `expectedAt`, at its earliest time where the rate is zero for a
 * while, Infinity where n is never reached.
 */
export interface RateFunction {
  rateAtRps(timeS: number): number;
  /** The integral of the rate from 0 to `timeS`: requests expected by then. */
  expectedAt(timeS: number): number;
  timeOfS(expected: number): number;
}
