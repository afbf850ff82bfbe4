import { UsageError } from '../../errors.ts';
import type { Reporter } from '../../events.ts';

/** Where a reporter writes: standard output, or standard error where the output is for a machine. */
export type ReporterStream = NodeJS.WriteStream;

/** Reporters by name. Each is loaded when it is asked for: only `ink` needs React. */
const REPORTERS = {
  ink: async (stream: ReporterStream) => (await import('./ink.ts')).createInkReporter(stream),
  plain: async (stream: ReporterStream) => (await import('./plain.ts')).createPlainReporter(stream),
  jsonl: async (stream: ReporterStream) => (await import('./jsonl.ts')).createJsonlReporter(stream),
} as const satisfies Record<string, (stream: ReporterStream) => Promise<Reporter>>;

export type ReporterKind = keyof typeof REPORTERS;

export function createReporter(kind: ReporterKind, stream: ReporterStream): Promise<Reporter> {
  return REPORTERS[kind](stream);
}

/**
 * The reporter that was asked for, or else `ink` on a terminal that can redraw and `plain` anywhere else.
 *
 * @throws UsageError for an unknown name, and for `ink` where there is no terminal
 */
export function parseReporterKind(
  asked: string | undefined,
  stream: Pick<ReporterStream, 'isTTY'>,
  env: NodeJS.ProcessEnv = process.env,
): ReporterKind {
  if (asked === undefined) {
    const canRedraw = stream.isTTY && env.TERM !== 'dumb' && !isSet(env.CI);
    return canRedraw ? 'ink' : 'plain';
  }
  if (!Object.hasOwn(REPORTERS, asked)) {
    throw new UsageError({
      where: '--reporter',
      what: `unknown reporter "${asked}"`,
      hint: `Choose one of ${Object.keys(REPORTERS).join(', ')}.`,
    });
  }
  if (asked === 'ink' && !stream.isTTY) {
    throw new UsageError({
      where: '--reporter',
      what: 'the reporter "ink" redraws a terminal, and the output is not one',
      hint: 'Use --reporter plain or jsonl here, or leave the option out.',
    });
  }
  return asked as ReporterKind;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
