import type { RunningServer } from '../launch/types.ts';
import type { RequestRecords } from '../load/types.ts';
import { deriveSeed } from '../rng.ts';
import type { NeighbourUsage, RunningNeighbour } from './neighbour.ts';
import { unless } from './waiting.ts';

/** Every request of one neighbour's load. */
export interface NeighbourRequests {
  readonly neighbour: RunningNeighbour;
  readonly records: RequestRecords;
}

/** The neighbours of one server configuration, launched with it and stopped with it; none where the configuration is alone. */
export class Neighbours implements AsyncDisposable {
  readonly all: readonly RunningNeighbour[];
  readonly #signal: AbortSignal;

  /** @param signal - ends every wait */
  constructor(all: readonly RunningNeighbour[], signal: AbortSignal) {
    this.all = all;
    this.#signal = signal;
  }

  /** Whether one of them can no longer be put under load. */
  get isBroken(): boolean {
    return this.all.some(({ isBroken }) => isBroken);
  }

  /** The servers of their own that they have. */
  get servers() {
    return this.all.flatMap(({ server }) => (server === undefined ? [] : [server]));
  }

  /** Has the requests of all of them go to another address, that of a gateway, from now on. */
  async sendThrough(gateway: RunningServer, timeoutMs: number): Promise<void> {
    for (const one of this.all) await unless(this.#signal, one.sendThrough(gateway, timeoutMs));
  }

  /** Puts all of them under their loads until the result is disposed or stopped. */
  async startLoads(seed: number): Promise<NeighbourLoads> {
    const loads = new NeighbourLoads(this.all, this.#signal);
    try {
      for (const one of this.all) {
        await unless(this.#signal, one.startLoad(deriveSeed(seed, 'neighbour-arrivals', one.neighbour.name)));
      }
      return loads;
    } catch (error) {
      await loads[Symbol.asyncDispose]();
      throw error;
    }
  }

  readUsage(): Promise<readonly NeighbourUsage[]> {
    return Promise.all(this.all.map((one) => one.readUsage()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((one) => one[Symbol.asyncDispose]()));
  }
}

/** Loads of all neighbours that are on. Disposing them stops what is still on. */
export class NeighbourLoads implements AsyncDisposable {
  readonly #neighbours: readonly RunningNeighbour[];
  readonly #signal: AbortSignal;
  #isStopped = false;

  constructor(neighbours: readonly RunningNeighbour[], signal: AbortSignal) {
    this.#neighbours = neighbours;
    this.#signal = signal;
  }

  /** Stops all of them and waits until everything in flight has ended. */
  async stop(): Promise<readonly NeighbourRequests[]> {
    this.#isStopped = true;
    return await unless(
      this.#signal,
      Promise.all(this.#neighbours.map(async (neighbour) => ({ neighbour, records: await neighbour.stopLoad() }))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopped) return;
    // Where the trial has failed already, that is the reason to tell.
    await Promise.all(this.#neighbours.map((one) => one.stopLoad().catch(() => {})));
  }
}
