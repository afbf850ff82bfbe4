import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { messageOf } from '../errors.ts';

const MAX_LOG_BYTES = 10_000_000;
const KEPT_LINES = 20;
const MAX_LINE_LENGTH = 2_000;

/** Where a server's output goes: appended to a file that never grows beyond 10 MB, the last lines kept at hand for messages. */
export interface ServerLog {
  append(text: string): void;
  /** The last 20 lines, the unfinished one included, long ones cut. */
  lastLines(): readonly string[];
  close(): void;
}

/**
 * Opens a log; what the file holds already stays and counts towards the bound.
 *
 * A disk that fills up later does not disturb the server: what could not be written is said among the last lines.
 * @throws the system's error where the file cannot be opened
 */
export function openServerLog(file: string, maxBytes: number = MAX_LOG_BYTES): ServerLog {
  const handle = openSync(file, 'a');
  let leftBytes = maxBytes - fstatSync(handle).size;
  let state: 'open' | 'stopped' | 'closed' = 'open';
  let lines: string[] = [];
  let unfinished = '';

  function write(text: string): void {
    if (state !== 'open') return;
    const bytes = Buffer.from(text);
    try {
      writeSync(handle, bytes.subarray(0, Math.max(leftBytes, 0)));
      leftBytes -= bytes.length;
      if (leftBytes >= 0) return;
      state = 'stopped';
      writeSync(handle, `\n[dse: log cut here, it reached ${maxBytes / 1e6} MB]\n`);
    } catch (error) {
      state = 'stopped';
      lines.push(`[dse: the rest of this log could not be written: ${messageOf(error)}]`);
    }
  }

  return {
    append(text) {
      write(text);
      const parts = `${unfinished}${text}`.split('\n');
      unfinished = (parts.pop() ?? '').slice(0, MAX_LINE_LENGTH);
      lines = [...lines, ...parts.map((line) => line.slice(0, MAX_LINE_LENGTH))].slice(-KEPT_LINES);
    },
    lastLines: () => (unfinished === '' ? lines : [...lines, unfinished]).slice(-KEPT_LINES),
    close() {
      if (state !== 'closed') closeSync(handle);
      state = 'closed';
    },
  };
}
