import { setTimeout as sleep } from 'node:timers/promises';
import { sampleStandardDeviation } from 'simple-statistics';
import { MeterError } from '../errors.ts';
import { tCritical } from '../student-t.ts';
import { energyBetween } from './energy-between.ts';
import { faultsBetween } from './fault-log.ts';
import type { EnergyMeter } from './types.ts';

/** What a machine draws with nothing of ours running. */
export interface IdlePower {
  /** Mean over the whole time, watts. */
  readonly powerW: number;
  /** Ends of its confidence interval, watts. */
  readonly lo: number;
  readonly hi: number;
  /** How long it was measured. */
  readonly seconds: number;
}

/** Stretches the time is cut into, as far as each can be this long. */
const MOST_STRETCHES = 10;
const SHORTEST_STRETCH_S = 0.2;

/**
 * Mean power over a time in which nothing but the machine's own background work runs, with its confidence interval.
 *
 * The time is cut into 2 to 10 stretches of equal length, each a difference of two readings; the interval is Student's
 * t over their powers. It takes the stretches as independent, so a background job that comes and goes more slowly than
 * they do makes it too narrow.
 * @param options - `seconds`: how long to measure, above 0; `confidence`: of the interval, between 0 and 1
 * @throws MeterError if the meter lost count meanwhile
 * @throws whatever reason `signal` was aborted with (as an AbortError)
 */
export async function measureIdlePower(
  meter: EnergyMeter,
  {
    seconds,
    confidence,
    signal,
  }: { readonly seconds: number; readonly confidence: number; readonly signal?: AbortSignal },
): Promise<IdlePower> {
  if (!(seconds > 0)) throw new RangeError(`idle power cannot be measured in ${seconds} s`);
  const stretches = Math.min(MOST_STRETCHES, Math.max(2, Math.floor(seconds / SHORTEST_STRETCH_S)));
  const first = await meter.read();
  let last = first;
  const powersW: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    await sleep((seconds / stretches) * 1000, undefined, signal === undefined ? {} : { signal });
    const next = await meter.read();
    powersW.push(energyBetween(last, next).powerW);
    last = next;
  }
  const [fault] = faultsBetween(meter, first.atNs, last.atNs);
  if (fault !== undefined) throw lostCount(meter, fault.reason);
  const { powerW, durationS } = energyBetween(first, last);
  const halfWidthW = (tCritical(confidence, stretches - 1) * sampleStandardDeviation(powersW)) / Math.sqrt(stretches);
  return { powerW, lo: Math.max(0, powerW - halfWidthW), hi: powerW + halfWidthW, seconds: durationS };
}

function lostCount(meter: EnergyMeter, reason: string): MeterError {
  return new MeterError({
    where: meter.description,
    what: `idle power is not known, because the meter lost count while it was measured: ${reason}`,
    hint: 'Run again; if it stays so, take another source ("dse doctor" shows which work here) or "source: none".',
  });
}
