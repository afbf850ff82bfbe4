import type { ResourceUsage, RunningServer, ServerExit } from '../launch/types.ts';
import { RequestLog } from '../load/index.ts';
import type { GeneratorUsage, LoadDriver, LoadRun, OfferedLoad, RequestRecords } from '../load/types.ts';
import type { GeneratorSpec, Neighbour } from '../spec/types.ts';
import { type InferenceTarget, throughGateway } from './configuration-settings.ts';

/** What a neighbour and its load generator have used so far. */
export interface NeighbourUsage {
  /** Undefined where the neighbour's model is inside the server under test, whose use it is then part of. */
  readonly server: ResourceUsage | undefined;
  /** Undefined where its load comes from the process of the server's load, whose use it is then part of. */
  readonly generator: GeneratorUsage | undefined;
}

/** What is known about a neighbour before its load. */
export interface NeighbourParts {
  readonly neighbour: Neighbour;
  /** Its own server; undefined where its model is served by the server under test. */
  readonly server: RunningServer | undefined;
  /** Its own load, prepared for `target`. */
  readonly load: LoadDriver;
  readonly target: InferenceTarget;
  /** What it can answer with nothing else under load, where its load is a share of that; requests/s. */
  readonly capacityRps: number | undefined;
  readonly generator: Pick<GeneratorSpec, 'connections' | 'spin'>;
  /** Whether its load comes from a process of its own, and not from that of the server's load. */
  readonly hasOwnGenerator: boolean;
}

/** A neighbour that is up and answers. Its load is switched on and off; disposing it stops its load, its load generator and its server. */
export class RunningNeighbour implements AsyncDisposable {
  readonly neighbour: Neighbour;
  readonly server: RunningServer | undefined;
  readonly capacityRps: number | undefined;
  readonly #parts: NeighbourParts;
  #run: LoadRun | undefined;
  #log = new RequestLog();
  #exit: ServerExit | undefined;
  #hasFailed = false;
  /** Kept because a server that is gone takes its counters with it. */
  #lastUsage: NeighbourUsage = { server: undefined, generator: undefined };

  constructor(parts: NeighbourParts) {
    const { neighbour, server, capacityRps } = parts;
    this.#parts = parts;
    this.neighbour = neighbour;
    this.server = server;
    this.capacityRps = capacityRps;
    void server?.exited.then((exit) => {
      this.#exit = exit;
      // A closed loop against a closed port would take a CPU from what is being measured.
      void this.#run?.stop().catch(() => {});
    });
  }

  /** How its server ended, once it has. */
  get exit(): ServerExit | undefined {
    return this.#exit;
  }

  /** Whether it can no longer be put under load: its server or its load generator is gone. */
  get isBroken(): boolean {
    return this.#exit !== undefined || this.#hasFailed;
  }

  /** Where its requests go and what they carry, with no gateway in between. */
  get target(): InferenceTarget {
    return this.#parts.target;
  }

  /** Has its requests go to another address, that of a gateway, from now on. */
  async sendThrough(gateway: RunningServer, timeoutMs: number): Promise<void> {
    await this.#orFail(() => this.#parts.load.prepare(throughGateway(this.#parts.target, gateway), { timeoutMs }));
  }

  /** The load it is held under. */
  offered(seed: number): OfferedLoad {
    const { load } = this.neighbour;
    if (load.kind === 'concurrency') return { kind: 'closed', concurrency: load.concurrency };
    const rateRps = load.kind === 'rate' ? load.rateRps : load.utilization * (this.capacityRps as number);
    const { connections, spin } = this.#parts.generator;
    return {
      ...{ kind: 'open', rateRps, arrivals: load.arrivals, seed, connections },
      ...(spin === undefined ? {} : { spin }),
    };
  }

  /** Starts its load, with a log of its own. */
  async startLoad(seed: number): Promise<void> {
    this.#log = new RequestLog();
    await this.#orFail(async () => {
      this.#run = await this.#parts.load.start(this.offered(seed), this.#log.add);
    });
  }

  /** Stops its load and returns every request since the start. */
  async stopLoad(): Promise<RequestRecords> {
    await this.#orFail(async () => {
      await this.#run?.stop();
      this.#run = undefined;
    });
    return this.#log.all();
  }

  /** What it has used so far; after its end, what it had at the last reading. */
  async readUsage(): Promise<NeighbourUsage> {
    const [server, generator] = await Promise.all([
      this.server?.readUsage().catch(() => this.#lastUsage.server),
      this.#parts.hasOwnGenerator ? this.#parts.load.readUsage().catch(() => this.#lastUsage.generator) : undefined,
    ]);
    this.#lastUsage = { server, generator };
    return this.#lastUsage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its generator first: whatever is still in flight has nobody to wait for it.
    await this.#parts.load[Symbol.asyncDispose]();
    await this.server?.[Symbol.asyncDispose]();
  }

  async #orFail(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }
}
