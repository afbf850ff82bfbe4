import type { Limits, ServerExit } from '../launch/types.ts';
import type { EngineName, Scalar } from '../spec/types.ts';

/** Why a trial is not simply valid, with the figure that says so. */
export interface Reason {
  readonly code: ReasonCode;
  /** The figure and its limit in a sentence, e.g. "1.8 % of requests left over 1 ms late (limit 1 %)". */
  readonly detail: string;
}

export type ReasonCode =
  | 'overloaded'
  | 'errors'
  | 'generator-late'
  | 'generator-saturated'
  | 'shared-cpu'
  | 'unsteady'
  | 'too-few-samples'
  | 'host-busy'
  | 'throttled'
  | 'energy-unknown'
  | 'outcomes-unbalanced'
  | 'littles-law';

/** `overloaded` is a finding about the server; only `invalid` trials are kept out of fronts. */
export type Verdict = 'valid' | 'overloaded' | 'invalid';

/** A measured value by column name. What was not measured is absent, never 0. */
export type Responses = Readonly<Record<string, number | string>>;

/** One measurement window, so that intervals can treat windows as what they are. */
export interface WindowRecord {
  readonly startNs: number;
  readonly endNs: number;
  readonly responses: Responses;
}

/** What every trial has, whatever became of it. */
export interface TrialBase {
  readonly kind: 'trial';
  /** Hash of everything that defines the trial; see `trialKey`. */
  readonly trialId: string;
  readonly pointId: string;
  readonly replicate: number;
  readonly block: number;
  readonly runOrder: number;
  /** From 1; counts up when an invalid trial is tried again. */
  readonly attempt: number;
  /** Level names by factor, fixed factors included. */
  readonly factors: Readonly<Record<string, Scalar>>;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationS: number;
  readonly engine: EngineName;
}

/** One line of the journal: a finished trial. */
export type TrialRecord =
  | (TrialBase & {
      readonly state: 'done';
      readonly verdict: Verdict;
      readonly reasons: readonly Reason[];
      readonly responses: Responses;
      readonly windows: readonly WindowRecord[];
      /** Limits as read back, and how they were applied. */
      readonly applied: Limits;
      readonly mechanism: string;
    })
  | (TrialBase & {
      readonly state: 'failed';
      readonly phase: TrialPhase;
      readonly reason: string;
      readonly exit?: ServerExit;
    });

export type TrialPhase = 'launch' | 'ready' | 'calibrate' | 'idle-gate' | 'warm-up' | 'measure' | 'drain' | 'stop';
