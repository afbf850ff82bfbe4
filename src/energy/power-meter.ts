import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import { FaultLog } from './fault-log.ts';
import { type PowerSample, PowerTrace } from './power-trace.ts';
import type { EnergyFault, EnergyMeter, EnergyReading, MeterSource } from './types.ts';

/** What a meter over a power sensor is made of. */
export interface PowerMeterParts {
  readonly source: MeterSource;
  readonly description: string;
  /** Takes one sample, or rejects with what was wrong in a sentence. Never hangs, and ends early when `signal` is aborted. */
  readonly sample: (signal: AbortSignal) => Promise<PowerSample>;
  /** Pause between samples. 0 where `sample` itself waits for the sensor. */
  readonly intervalMs: number;
  /** Two samples further apart than this leave the power between them unknown, seconds. */
  readonly maxGapS: number;
  /** Ends what `sample` keeps running; called once, last. */
  readonly end?: () => Promise<void>;
}

const RETRY_MS = 1000;

/**
 * A meter over a sensor of power.
 *
 * Samples over and over and integrates. A reading asks for a sample right away, waits until one is there that is not
 * older than the reading, and answers with the energy up to the moment it was asked; so windows have exactly the ends
 * that their readings say. A sample that fails spoils the time from the last good one to the next.
 * @throws whatever the first sample rejects with
 */
export async function startPowerMeter(parts: PowerMeterParts): Promise<EnergyMeter> {
  const closing = new AbortController();
  const first = await parts.sample(closing.signal).catch(async (error: unknown) => {
    await parts.end?.();
    throw error;
  });
  return new PowerMeter(parts, first, closing);
}

interface WaitingReader {
  readonly atNs: number;
  readonly answer: (reading: EnergyReading) => void;
}

class PowerMeter implements EnergyMeter {
  readonly source: MeterSource;
  readonly isEstimate = false;
  readonly description: string;
  readonly #parts: PowerMeterParts;
  readonly #closing: AbortController;
  readonly #trace: PowerTrace;
  readonly #log = new FaultLog();
  readonly #sampling: Promise<void>;
  #waiting: WaitingReader[] = [];
  #endPause = new AbortController();
  #trouble: string | undefined;

  constructor(parts: PowerMeterParts, first: PowerSample, closing: AbortController) {
    this.source = parts.source;
    this.description = parts.description;
    this.#parts = parts;
    this.#closing = closing;
    this.#trace = new PowerTrace(first);
    this.#sampling = this.#sampleUntilClosed();
  }

  get faults(): readonly EnergyFault[] {
    return this.#log.list();
  }

  read(): Promise<EnergyReading> {
    return new Promise((answer) => {
      this.#waiting.push({ atNs: monotonicNs(), answer });
      if (this.#closing.signal.aborted) this.#fail('meter is closed');
      this.#endPause.abort();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#endPause.abort();
    await this.#sampling;
    await this.#parts.end?.();
  }

  async #sampleUntilClosed(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const isGood = await this.#sampleOnce(signal);
      if (this.#waiting.length === 0) await this.#pause(isGood ? this.#parts.intervalMs : RETRY_MS);
    }
    if (this.#waiting.length > 0) this.#fail('meter is closed');
  }

  async #sampleOnce(signal: AbortSignal): Promise<boolean> {
    try {
      this.#take(await this.#parts.sample(signal));
      return true;
    } catch (error) {
      if (!signal.aborted) this.#fail(messageOf(error));
      return false;
    }
  }

  /** Ends early as soon as a reading is asked for or the meter is closed; does not keep the process alive. */
  async #pause(ms: number): Promise<void> {
    if (ms === 0 || this.#closing.signal.aborted) return;
    this.#endPause = new AbortController();
    await sleep(ms, undefined, { ref: false, signal: this.#endPause.signal }).catch(() => undefined);
  }

  #take(sample: PowerSample): void {
    const { atNs } = this.#trace.last;
    if (sample.atNs <= atNs) return;
    this.#trace.add(sample);
    const gapS = (sample.atNs - atNs) / NS_PER_S;
    if (this.#trouble !== undefined) this.#note(atNs, sample.atNs, this.#trouble);
    else if (gapS > this.#parts.maxGapS) this.#note(atNs, sample.atNs, `gave no sample for ${gapS.toFixed(1)} s`);
    this.#trouble = undefined;
    this.#answer((reader) => reader.atNs <= sample.atNs);
  }

  #fail(reason: string): void {
    this.#trouble ??= reason;
    this.#note(this.#trace.last.atNs, monotonicNs(), this.#trouble);
    this.#answer(() => true);
  }

  #answer(isDue: (reader: WaitingReader) => boolean): void {
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((reader) => !due.includes(reader));
    for (const { atNs, answer } of due) answer({ atNs, zonesJ: this.#trace.energyAt(atNs) });
  }

  #note(fromNs: number, atNs: number, reason: string): void {
    this.#log.note(this.source, fromNs, atNs, reason);
  }
}
