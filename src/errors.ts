/** One thing that is wrong, in the words a user reads: what happened, where, and what to do about it. */
export interface Problem {
  /** `file:line:column`, a path, a column of a table, a host; absent where there is no place to point at. */
  readonly where?: string;
  /** What is wrong, quoting the value received. One sentence without a full stop. */
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
}

/** Which part refused; also the `code` in `--json` output. */
export type ErrorCode =
  | 'spec'
  | 'design'
  | 'model'
  | 'launch'
  | 'load'
  | 'meter'
  | 'store'
  | 'analysis'
  | 'usage'
  | 'interrupted';

/**
 * An error whose text is meant for the user: it stops the experiment and is shown without a stack trace.
 *
 * All problems that were found are reported together. A trial that fails is not thrown; it is data (see `store/`).
 */
export class DseError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, problems: Problem | readonly Problem[], cause?: unknown) {
    const list = 'what' in problems ? [problems] : problems;
    super(renderProblems(list), cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.problems = list;
  }
}

/** Builds the subclass of one folder; the code is fixed, so that a catch can tell the parts apart by class or by code. */
function errorOf(code: ErrorCode) {
  return class extends DseError {
    constructor(problems: Problem | readonly Problem[], cause?: unknown) {
      super(code, problems, cause);
    }
  };
}

export class SpecError extends errorOf('spec') {}
export class DesignError extends errorOf('design') {}
export class ModelError extends errorOf('model') {}
export class LaunchError extends errorOf('launch') {}
export class LoadError extends errorOf('load') {}
export class MeterError extends errorOf('meter') {}
export class StoreError extends errorOf('store') {}
export class AnalysisError extends errorOf('analysis') {}
export class UsageError extends errorOf('usage') {}

/** Problems as text, `where  what` on one line and the hint indented below it. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems
    .map(
      ({ where, what, hint }) =>
        `${where === undefined ? '' : `${where}  `}${what}\n  ${hint.replaceAll('\n', '\n  ')}`,
    )
    .join('\n');
}

/** The message of whatever was thrown, for a reason or a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
