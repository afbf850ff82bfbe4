import type { ServerExit } from '../launch/types.ts';

/** How a server ended, in a sentence. @param who - its subject, e.g. "the server" */
export function describeExit(who: string, { exitCode, signal, isOomKilled, lastLines }: ServerExit): string {
  const how = isOomKilled
    ? 'was killed by the kernel: its memory limit was reached (oom-killed)'
    : signal === undefined
      ? `ended with exit code ${exitCode}`
      : `was ended by ${signal}`;
  const lastLine = lastLines.at(-1);
  return `${who} ${how}${lastLine === undefined ? '' : `; its last line: ${lastLine}`}`;
}
