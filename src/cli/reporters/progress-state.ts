import type { Problem } from '../../errors.ts';
import type { RunEvent } from '../../events.ts';
import type { TrialPhase } from '../../store/types.ts';
import { unreachable } from '../../unreachable.ts';

/** How a trial of this run ended last. */
type Ending = 'done' | 'invalid' | 'failed';

/** The trial that is on. */
export interface RunningTrial {
  readonly trialId: string;
  readonly runOrder: number;
  readonly label: string;
  readonly startedAtMs: number;
  readonly phase: TrialPhase | undefined;
  readonly requests: number | undefined;
  readonly achievedRps: number | undefined;
  readonly latencyP50Ms: number | undefined;
}

/** The server that is being brought up. */
export interface StartingServer {
  readonly label: string;
  readonly startedAtMs: number;
  readonly isReady: boolean;
}

/** What is known of a run so far: a pure function of its events, for any view of it. */
export interface ProgressState {
  readonly experiment: string;
  readonly outDir: string;
  /** Trials of the design, where known. */
  readonly trials: number | undefined;
  /** Trials that earlier runs had recorded. */
  readonly alreadyDone: number;
  /** Seconds this run was thought to take before anything was measured. */
  readonly estimatedS: number;
  /** When the first trial could begin: the start of the run, or the end of its idle measurement. */
  readonly measuringSinceMs: number;
  /** Trials this run has finished, by id; a repeated attempt counts once. */
  readonly endings: ReadonlyMap<string, Ending>;
  readonly lastFinishedAtMs: number | undefined;
  readonly starting: StartingServer | undefined;
  readonly running: RunningTrial | undefined;
  /** In the order they were first said, each once. */
  readonly warnings: readonly Problem[];
  readonly notices: readonly Problem[];
  readonly outcome: 'complete' | 'interrupted' | undefined;
}

export const INITIAL_STATE: ProgressState = {
  experiment: '',
  outDir: '',
  trials: undefined,
  alreadyDone: 0,
  estimatedS: 0,
  measuringSinceMs: 0,
  endings: new Map(),
  lastFinishedAtMs: undefined,
  starting: undefined,
  running: undefined,
  warnings: [],
  notices: [],
  outcome: undefined,
};

/** The state after one more event. */
export function reduce(state: ProgressState, event: RunEvent): ProgressState {
  switch (event.type) {
    case 'run-started': {
      const { experiment, outDir, trials, alreadyDone, estimatedS } = event;
      return { ...state, experiment, outDir, trials, alreadyDone, estimatedS, measuringSinceMs: event.atMs };
    }
    case 'notice':
      return { ...state, notices: addOnce(state.notices, event.notice) };
    case 'warning':
      return { ...state, warnings: addOnce(state.warnings, event.warning) };
    case 'idle-measured':
      return { ...state, measuringSinceMs: event.atMs };
    case 'server-starting':
      return { ...state, starting: { label: event.label, startedAtMs: event.atMs, isReady: false } };
    case 'server-ready':
      return state.starting === undefined ? state : { ...state, starting: { ...state.starting, isReady: true } };
    case 'capacity-found':
      return state;
    case 'trial-started':
      return { ...state, starting: undefined, running: startTrial(event) };
    case 'trial-phase':
      return updateRunning(state, event.trialId, { phase: event.phase });
    case 'trial-progress': {
      const { requests, achievedRps, latencyP50Ms } = event;
      return updateRunning(state, event.trialId, { requests, achievedRps, latencyP50Ms });
    }
    case 'trial-finished':
      return {
        ...state,
        endings: new Map([...state.endings, [event.record.trialId, endingOf(event.record)]]),
        lastFinishedAtMs: event.atMs,
        starting: undefined,
        running: undefined,
      };
    case 'server-stopped':
      return { ...state, starting: undefined };
    case 'run-finished':
      return { ...state, outcome: event.outcome, starting: undefined, running: undefined };
    default:
      return unreachable(event);
  }
}

/** Trials by how they ended in this run; `done` holds the invalid ones too, and `all` what earlier runs had recorded. */
export function countTrials({ endings, alreadyDone }: ProgressState) {
  const count = (ending: Ending) => [...endings.values()].filter((each) => each === ending).length;
  const invalid = count('invalid');
  return { all: alreadyDone + endings.size, done: count('done') + invalid, invalid, failed: count('failed') };
}

/**
 * Seconds until the run will be over, or undefined where the number of trials is not known.
 *
 * The mean time from one finished trial to the next, launches and repeated attempts included, times the trials left, less what the running one has had.
 * Before the first trial has finished it is the first guess less what has passed.
 */
export function timeLeftS(state: ProgressState, nowMs: number): number | undefined {
  const { trials, alreadyDone, endings, measuringSinceMs, lastFinishedAtMs, estimatedS } = state;
  if (trials === undefined) return undefined;
  if (state.outcome !== undefined) return 0;
  if (lastFinishedAtMs === undefined || endings.size === 0) {
    return Math.max(0, estimatedS - (nowMs - measuringSinceMs) / 1000);
  }
  const meanTrialMs = (lastFinishedAtMs - measuringSinceMs) / endings.size;
  const trialsLeft = Math.max(0, trials - alreadyDone - endings.size);
  const spentMs = Math.min(nowMs - lastFinishedAtMs, meanTrialMs);
  return Math.max(0, meanTrialMs * trialsLeft - spentMs) / 1000;
}

function startTrial(event: Extract<RunEvent, { type: 'trial-started' }>): RunningTrial {
  const { trialId, runOrder, label, atMs } = event;
  return {
    trialId,
    runOrder,
    label,
    startedAtMs: atMs,
    phase: undefined,
    requests: undefined,
    achievedRps: undefined,
    latencyP50Ms: undefined,
  };
}

/** An event of a trial that is not on (any more) changes nothing. */
function updateRunning(state: ProgressState, trialId: string, change: Partial<RunningTrial>): ProgressState {
  if (state.running?.trialId !== trialId) return state;
  return { ...state, running: { ...state.running, ...change } };
}

function endingOf(record: Extract<RunEvent, { type: 'trial-finished' }>['record']): Ending {
  if (record.state === 'failed') return 'failed';
  return record.verdict === 'invalid' ? 'invalid' : 'done';
}

function addOnce(problems: readonly Problem[], problem: Problem): readonly Problem[] {
  const isKnown = problems.some(({ where, what }) => where === problem.where && what === problem.what);
  return isKnown ? problems : [...problems, problem];
}
