import type { Problem } from '../../errors.ts';
import type { Reporter, RunEvent } from '../../events.ts';
import { formatDuration, formatNumber } from '../../report/index.ts';
import { countTrials, INITIAL_STATE, type ProgressState, reduce } from './progress-state.ts';
import { figuresOf, markOf, printable, reasonsOf } from './trial-line.ts';

/** One line per event of note, without control characters: for logs, pipes and CI. */
export function createPlainReporter(stream: NodeJS.WritableStream): Reporter {
  let state = INITIAL_STATE;
  return {
    report(event) {
      const before = state;
      state = reduce(state, event);
      for (const line of linesOf(event, before, state)) stream.write(`${line}\n`);
    },
    close: async () => undefined,
  };
}

function linesOf(event: RunEvent, before: ProgressState, after: ProgressState): readonly string[] {
  switch (event.type) {
    case 'run-started':
      return [
        `experiment ${printable(event.experiment)}: ${event.trials ?? 'any number of'} trials, ${event.alreadyDone} already done, about ${formatDuration(event.estimatedS)} to go`,
        `results go to ${printable(event.outDir)}`,
      ];
    case 'notice':
      return after.notices === before.notices ? [] : renderProblem('note', event.notice);
    case 'warning':
      return after.warnings === before.warnings ? [] : renderProblem('warning', event.warning);
    case 'idle-measured':
      return [
        `idle power ${formatNumber(event.powerW)} W${event.isEstimate ? ' (estimate)' : ''} before block ${event.block}${event.disturbedBecause === undefined ? '' : `, which does not count: ${event.disturbedBecause}`}`,
      ];
    case 'server-starting':
      return [`server ${printable(event.label)} (block ${event.block})`];
    case 'capacity-found':
      return [`  capacity ${formatNumber(event.capacityRps)} requests/s`];
    case 'trial-finished': {
      const { record, label } = event;
      const place = `${countTrials(after).all}/${after.trials ?? '?'}`;
      const attempt = record.attempt > 1 ? ` (attempt ${record.attempt})` : '';
      const parts = [`  [${place}] ${printable(label)}${attempt}: ${markOf(record)}`, ...figuresOf(record)];
      return [parts.join(', '), ...reasonsOf(record).map((reason) => `    ${reason}`)];
    }
    case 'run-finished':
      return [
        `run ${event.outcome}: ${event.done} measured, ${event.invalid} of them invalid, ${event.failed} failed, in ${formatDuration(event.elapsedS)}`,
      ];
    // What changes several times a trial is for a screen.
    case 'server-ready':
    case 'server-stopped':
    case 'trial-started':
    case 'trial-phase':
    case 'trial-progress':
      return [];
  }
}

function renderProblem(kind: string, { where, what, hint }: Problem): string[] {
  return [
    `${kind}: ${where === undefined ? '' : `${printable(where)}: `}${printable(what)}`,
    ...(hint === '' ? [] : hint.split('\n').map((line) => `  ${printable(line)}`)),
  ];
}
