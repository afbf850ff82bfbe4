import type { Level } from '../spec/types.ts';

/** One combination of levels: every varied and every fixed factor has one. */
export interface DesignPoint {
  /** Hash of the levels' names and values, 12 hex digits: the same combination has the same id in every design. */
  readonly pointId: string;
  readonly levels: Readonly<Record<string, Level>>;
}

/** One trial to come: a point, which repetition of it, and when. */
export interface PlannedTrial {
  readonly pointId: string;
  readonly levels: Readonly<Record<string, Level>>;
  /** From 1. */
  readonly replicate: number;
  /** From 1. A block holds one replicate of every point. */
  readonly block: number;
  /** From 1, over the whole run. */
  readonly runOrder: number;
}

/**
 * A server configuration (a point without its load factor) in one block, with its load levels in the order they run.
 *
 * They share one launch and one capacity calibration. It is plain JSON and complete in itself, so any host with dse can execute it.
 */
export interface PlannedConfiguration {
  /** Hash of the levels' names and values, load left out, 12 hex digits. */
  readonly configurationId: string;
  readonly levels: Readonly<Record<string, Level>>;
  readonly block: number;
  readonly trials: readonly PlannedTrial[];
}

/** What a design learns about a finished trial: its responses by column name; `undefined` where the trial failed or was invalid. */
export interface TrialOutcome {
  readonly trial: PlannedTrial;
  readonly responses: Readonly<Record<string, number>> | undefined;
}

/**
 * A source of design points.
 *
 * The runner asks for configurations until it gets none, and tells each trial's outcome before it asks again. A factorial has all of its
 * points ready and ignores what it is told; a search may not know its next points before. Calls never overlap, and what `ask` returned is
 * never modified afterwards.
 */
export interface DesignGenerator {
  /** The next configurations to run, in order; an empty list when the design is finished. */
  ask(): readonly PlannedConfiguration[];
  tell(outcome: TrialOutcome): void;
  /** Trials in the whole design where that is known beforehand. */
  readonly size: number | undefined;
}
