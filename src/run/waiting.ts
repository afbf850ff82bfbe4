import { setTimeout as delay } from 'node:timers/promises';

/** Ends a trial early; its message becomes the reason in the record. */
export class TrialFailure extends Error {}

/** Thrown where the user interrupted the run; nothing is recorded for the trial that was on. */
export class Interrupted extends Error {}

/** Waits `ms` milliseconds, or rejects with the signal's reason as soon as it is aborted. */
export async function sleepUnless(signal: AbortSignal, ms: number): Promise<void> {
  try {
    await delay(Math.max(0, ms), undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/** The promise's value, or a rejection with the signal's reason as soon as it is aborted. */
export async function unless<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  // The loser of the race must not become an unhandled rejection.
  promise.catch(() => {});
  signal.throwIfAborted();
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    settled.abort();
  }
}
