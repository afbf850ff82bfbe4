import type { LoadClient } from './load-client.ts';

/**
 * Decides when a client sends. One pacing belongs to one run.
 *
 * `start` is called once; `clientIsIdle` for each client before that, and again each time its request has ended, with how it ended; both may release clients
 * through the `PacingHost`. After `stop` nothing is released any more.
 */
export interface Pacing {
  clientIsIdle(client: LoadClient, outcome: number | undefined): void;
  start(startNs: number): void;
  /** Drops requests that waited too long for a client. Called many times a second. */
  expire(nowNs: number): void;
  /** Ends the schedule; what was due by `nowNs` and never sent is given up as unanswered. */
  stop(nowNs: number): void;
}

/** What a pacing may ask of the run around it. */
export interface PacingHost {
  send(client: LoadClient, intendedNs: number, waitedForClient: boolean): void;
  /** Records a request that was never sent. */
  giveUp(intendedNs: number, outcome: number, doneNs: number, waitedForClient: boolean): void;
  /** Counts up with everything that happens on the sockets. */
  activity(): number;
  /** Counts a stretch of time as passed in a spin. */
  addSpin(fromNs: number, untilNs: number): void;
}
