import { type Engine, InferenceError } from '../../engine/index.ts';
import { KserveError } from '../../kserve/index.ts';
import type { NamedTensor, TensorSpec } from '../../models/types.ts';
import { monotonicNs, NS_PER_MS, NS_PER_S, NS_PER_US } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { DEFAULT_MAX_QUEUE } from '../serving-parameters.ts';
import type { ServingSettings } from '../types.ts';
import { countItems, shapeKey } from './batch-shapes.ts';
import { joinRequests, splitOutputs } from './join-requests.ts';
import type { InferenceRequest, ModelEvents, ModelInference } from './types.ts';
import { type WaitingRequest, WaitingRequests } from './waiting-requests.ts';

/** A run in progress and one that is ready when it ends: without the second, a session would idle while the answer of the first crosses the threads. */
const MOST_RUNS_PER_SESSION = 2;

/** Node's timers hold no more; a request that waits for 24 days has other worries. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Session {
  readonly engine: Engine;
  runs: number;
}

/**
 * Hands the requests of a model to its sessions: joined where the settings say so, in the order they came, to the session with the least to do.
 *
 * A request waits here until a session turns to it. Nothing that was not started is ever worked on after its deadline.
 */
export class Scheduler {
  readonly #sessions: readonly Session[];
  readonly #settings: ServingSettings;
  readonly #pool: BufferPool;
  readonly #events: Pick<ModelEvents, 'onRun'>;
  readonly #waiting: WaitingRequests;
  #timer: NodeJS.Timeout | undefined;
  #meanRunNs = 0;

  constructor(
    engines: readonly Engine[],
    settings: ServingSettings,
    pool: BufferPool,
    events: Pick<ModelEvents, 'onRun'>,
  ) {
    this.#sessions = engines.map((engine) => ({ engine, runs: 0 }));
    this.#settings = settings;
    this.#pool = pool;
    this.#events = events;
    this.#waiting = new WaitingRequests(settings.batching);
  }

  /** Requests that wait. */
  get queueLength(): number {
    return this.#waiting.count;
  }

  /** @throws KserveError with status 429 past the limit of waiting requests, 504 past its deadline, or what the runtime makes of the request */
  submit(request: InferenceRequest): Promise<ModelInference> {
    const { maxQueue = DEFAULT_MAX_QUEUE } = this.#settings;
    if (this.#waiting.count >= maxQueue) return Promise.reject(this.#fullQueue(maxQueue));
    const enqueuedNs = monotonicNs();
    const { deadlineNs } = request;
    if (deadlineNs !== undefined && deadlineNs <= enqueuedNs) return Promise.reject(timedOut());
    const session = leastBusy(this.#sessions);
    const joinability = this.#joinability(request);
    const waitsForOthers = (this.#settings.batching?.maxQueueDelayMs ?? 0) > 0;
    if (!waitsForOthers && session.runs === 0 && this.#waiting.count === 0) {
      return this.#runAtOnce(session, request, joinability.items, enqueuedNs);
    }
    return new Promise((resolve, reject) => {
      const waiting: WaitingRequest = { request, ...joinability, enqueuedNs, resolve, reject };
      if (deadlineNs !== undefined) waiting.dropTimer = this.#dropAt(waiting, deadlineNs);
      this.#waiting.add(waiting);
      this.#dispatch();
    });
  }

  #joinability(request: InferenceRequest): Pick<WaitingRequest, 'items' | 'key'> {
    if (this.#settings.batching === undefined) return { items: 1, key: undefined };
    const items = countItems(request.tensors);
    // A request that contradicts itself is for the runtime to refuse; joined with others it would spoil theirs.
    return items === undefined || items === 0
      ? { items: 1, key: undefined }
      : { items, key: shapeKey(request.tensors, request.outputs) };
  }

  #dropAt(waiting: WaitingRequest, deadlineNs: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        if (this.#waiting.remove(waiting)) waiting.reject(timedOut());
      },
      Math.min((deadlineNs - monotonicNs()) / NS_PER_MS, LONGEST_TIMER_MS),
    ).unref();
  }

  #dispatch(): void {
    while (this.#waiting.count > 0) {
      const session = leastBusy(this.#sessions);
      if (session.runs >= MOST_RUNS_PER_SESSION) return;
      const nowNs = monotonicNs();
      const batch = this.#waiting.take(nowNs, session.runs === 0);
      if (batch.length === 0) {
        if (session.runs === 0) this.#wakeUpWhenDue(nowNs);
        return;
      }
      void this.#runWhole(session, batch);
    }
  }

  #wakeUpWhenDue(nowNs: number): void {
    const dueNs = this.#waiting.nextDueNs;
    if (this.#timer !== undefined || dueNs === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#dispatch();
      },
      Math.ceil(Math.max(0, dueNs - nowNs) / NS_PER_MS),
    );
  }

  /** Neither for a session nor for others to join it has a request to wait: most, where the server is not overloaded. */
  async #runAtOnce(
    session: Session,
    request: InferenceRequest,
    items: number,
    enqueuedNs: number,
  ): Promise<ModelInference> {
    session.runs++;
    try {
      return await this.#run(session, request, items, enqueuedNs);
    } finally {
      session.runs--;
      this.#dispatch();
    }
  }

  async #runWhole(session: Session, batch: readonly WaitingRequest[]): Promise<void> {
    session.runs++;
    // A timer would hold on to the request until its deadline, long after it was answered.
    for (const { dropTimer } of batch) clearTimeout(dropTimer);
    try {
      await (batch.length === 1
        ? this.#runAlone(session, batch[0] as WaitingRequest)
        : this.#runTogether(session, batch));
    } finally {
      session.runs--;
      this.#dispatch();
    }
  }

  #runAlone(session: Session, { request, items, enqueuedNs, resolve, reject }: WaitingRequest): Promise<void> {
    return this.#run(session, request, items, enqueuedNs).then(resolve, reject);
  }

  async #run(
    { engine }: Session,
    { tensors, outputs, lend }: InferenceRequest,
    items: number,
    enqueuedNs: number,
  ): Promise<ModelInference> {
    const handedOverNs = monotonicNs();
    try {
      const inference = await engine.run(tensors, { lend, outputs });
      this.#events.onRun(items, 1);
      this.#learn(inference.computeUs);
      return {
        outputs: inOrder(inference.outputs, outputs),
        queueUs: (handedOverNs - enqueuedNs) / NS_PER_US + inference.queueUs,
        computeUs: inference.computeUs,
        returned: inference.returned,
      };
    } catch (error) {
      throw asKserveError(error, engine.inputs, tensors);
    }
  }

  async #runTogether(session: Session, batch: readonly WaitingRequest[]): Promise<void> {
    const handedOverNs = monotonicNs();
    const [{ outputs }] = batch.map(({ request }) => request) as [InferenceRequest];
    const { tensors, buffers } = joinRequests(
      batch.map(({ request }) => request.tensors),
      this.#pool,
    );
    const items = batch.map((waiting) => waiting.items);
    const total = items.reduce((sum, count) => sum + count, 0);
    try {
      const inference = await session.engine.run(tensors, { lend: buffers, outputs });
      const parts = splitOutputs(inOrder(inference.outputs, outputs), items);
      this.#events.onRun(total, batch.length);
      this.#learn(inference.computeUs);
      for (const buffer of inference.returned) this.#pool.give(buffer);
      for (const [index, { enqueuedNs, resolve, request }] of batch.entries()) {
        resolve({
          outputs: parts[index] ?? [],
          queueUs: (handedOverNs - enqueuedNs) / NS_PER_US + inference.queueUs,
          computeUs: inference.computeUs,
          returned: request.lend,
        });
      }
    } catch (error) {
      if (!(error instanceof InferenceError)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One request may have spoilt the run of all: each is told only what it brought about itself.
      for (const waiting of batch) await this.#runAlone(session, waiting);
    }
  }

  #learn(computeUs: number): void {
    const runNs = computeUs * NS_PER_US;
    this.#meanRunNs += (runNs - this.#meanRunNs) * (this.#meanRunNs === 0 ? 1 : 0.1);
  }

  #fullQueue(maxQueue: number): KserveError {
    const perRun = this.#settings.batching?.maxBatch ?? 1;
    const drainS = (maxQueue / perRun / this.#sessions.length) * (this.#meanRunNs / NS_PER_S);
    return new KserveError(429, `${maxQueue} requests wait for this model already`, {
      retryAfterS: Math.max(1, Math.ceil(drainS)),
    });
  }
}

function leastBusy(sessions: readonly Session[]): Session {
  return sessions.reduce((least, session) => (session.runs < least.runs ? session : least));
}

function inOrder(tensors: readonly NamedTensor[], names: readonly string[]): NamedTensor[] {
  return names.map((wanted) => tensors.find(({ name }) => name === wanted) as NamedTensor);
}

/** Whether dimensions that the model gives one name differ: a run may well take that, by broadcasting, but where it fails the request is to blame. */
function contradictEachOther(inputs: readonly TensorSpec[], tensors: readonly NamedTensor[]): boolean {
  const sizes = new Map<string, number | undefined>();
  return inputs.some(({ shape }, index) =>
    shape.some((dim, axis) => {
      // Dimensions without a name in the file are called after their axis and are independent of each other.
      if (typeof dim === 'number' || dim === `dim${axis}`) return false;
      const size = tensors[index]?.shape[axis];
      if (!sizes.has(dim)) sizes.set(dim, size);
      return sizes.get(dim) !== size;
    }),
  );
}

function timedOut(): KserveError {
  return new KserveError(504, 'the time that the request allowed was over before it could be started on');
}

function asKserveError(error: unknown, inputs: readonly TensorSpec[], tensors: readonly NamedTensor[]): unknown {
  if (!(error instanceof InferenceError)) return error;
  const message = error.message.trim().replaceAll(/\s+/g, ' ');
  switch (error.kind) {
    case 'inputs':
      return new KserveError(400, `the runtime refused the inputs: ${message}`);
    case 'runtime':
      return new KserveError(
        contradictEachOther(inputs, tensors) ? 400 : 500,
        `the runtime failed on the inputs: ${message}`,
      );
    case 'gone':
      return new KserveError(503, message);
  }
}
