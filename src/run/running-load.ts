import type { LoadDriver, LoadRun, OfferedLoad, RequestLog } from '../load/index.ts';
import { unless } from './waiting.ts';

/** Whether an offered rate changes while the load is on. */
export function hasPattern(offered: OfferedLoad): boolean {
  return offered.kind === 'open' && offered.pattern !== undefined;
}

/** The same load at its constant rate, for a warm-up: a pattern begins with the measurement. */
export function withoutPattern(offered: OfferedLoad): OfferedLoad {
  if (offered.kind === 'closed') return offered;
  const { pattern: _pattern, ...constant } = offered;
  return constant;
}

/** The load of one trial: one stretch after another into one log. Disposing it stops what is on, so that no load goes on against the next server. */
export class RunningLoad implements AsyncDisposable {
  readonly #driver: LoadDriver;
  readonly #log: RequestLog;
  readonly #signal: AbortSignal;
  #run: LoadRun | undefined;

  /** @param signal - ends every wait */
  constructor(driver: LoadDriver, log: RequestLog, signal: AbortSignal) {
    this.#driver = driver;
    this.#log = log;
    this.#signal = signal;
  }

  /** Starts a stretch of load, having drained the one before. */
  async start(offered: OfferedLoad): Promise<void> {
    if (this.#run !== undefined) await this.stop();
    this.#run = await unless(this.#signal, this.#driver.start(offered, this.#log.add));
  }

  /** Stops sending and waits until everything in flight has ended; returns when its schedule began. */
  async stop(): Promise<{ readonly startedAtNs: number }> {
    const run = this.#run;
    if (run === undefined) throw new Error('no load is on');
    await unless(this.#signal, run.stop());
    return { startedAtNs: run.startedAtNs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where the trial has failed already, that is the reason to tell; the driver's own process ends with the run in any case.
    await this.#run?.stop().catch(() => {});
  }
}
