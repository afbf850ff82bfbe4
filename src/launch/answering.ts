import { setTimeout as sleep } from 'node:timers/promises';

const ASK_EVERY_MS = 50;
const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Asks until the answer is one of success and holds the text wanted, where one is.
 *
 * @returns what was last answered instead, where `signal` ended it first
 */
export async function untilAnswering(
  url: string,
  contains: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  let last = 'nothing';
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]) });
      const text = await response.text();
      if (response.ok && (contains === undefined || text.includes(contains))) return undefined;
      last = `${response.status} ${text.slice(0, 200)}`.trim();
    } catch (error) {
      if (!signal.aborted)
        last = error instanceof Error && error.cause instanceof Error ? error.cause.message : `${error}`;
    }
    await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  return last;
}
