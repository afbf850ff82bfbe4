import type { Problem } from './errors.ts';
import type { TrialPhase, TrialRecord } from './store/types.ts';

/**
 * Everything a run tells the outside while it goes on, as one union.
 *
 * The terminal view, the plain lines and the JSON lines are reporters over these events, and know nothing else. Events are plain JSON. `atMs` is wall-clock time
 * in milliseconds since the epoch.
 */
export type RunEvent = { readonly atMs: number } & (
  | {
      readonly type: 'run-started';
      readonly experiment: string;
      readonly outDir: string;
      /** Trials of the design, where known beforehand; `alreadyDone` of them were found in the journal. */
      readonly trials: number | undefined;
      readonly alreadyDone: number;
      /** First guess of what is left, from the spec's windows; reporters refine it with what they see. */
      readonly estimatedS: number;
    }
  | { readonly type: 'notice'; readonly notice: Problem }
  | { readonly type: 'warning'; readonly warning: Problem }
  | {
      readonly type: 'idle-measured';
      readonly block: number;
      readonly powerW: number;
      readonly isEstimate: boolean;
      /** Why the figure counts for nothing; absent where it counts. */
      readonly disturbedBecause?: string;
    }
  | {
      readonly type: 'server-starting';
      readonly configurationId: string;
      readonly label: string;
      readonly block: number;
    }
  | { readonly type: 'server-ready'; readonly configurationId: string; readonly tookMs: number }
  | { readonly type: 'capacity-found'; readonly configurationId: string; readonly capacityRps: number }
  | { readonly type: 'trial-started'; readonly trialId: string; readonly runOrder: number; readonly label: string }
  | { readonly type: 'trial-phase'; readonly trialId: string; readonly phase: TrialPhase }
  | {
      readonly type: 'trial-progress';
      readonly trialId: string;
      readonly elapsedS: number;
      readonly requests: number;
      readonly achievedRps: number;
      readonly latencyP50Ms: number | undefined;
    }
  | { readonly type: 'trial-finished'; readonly label: string; readonly record: TrialRecord }
  | { readonly type: 'server-stopped'; readonly configurationId: string }
  | {
      readonly type: 'run-finished';
      readonly outcome: 'complete' | 'interrupted';
      readonly done: number;
      readonly failed: number;
      readonly invalid: number;
      readonly elapsedS: number;
    }
);

/** Shows a run's events. `report` is called for each event in order and must return at once; `close` is called once, last, and may wait for what is still to be drawn. */
export interface Reporter {
  report(event: RunEvent): void;
  close(): Promise<void>;
}
