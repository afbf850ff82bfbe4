import type { InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../errors.ts';
import type { NamedTensor, TensorSpec } from '../models/types.ts';
import { monotonicNs, NS_PER_US } from '../units.ts';
import { gone, InferenceError } from './inference-error.ts';
import { runSession, tensorSpecs } from './session.ts';
import type { Engine, EngineSettings, Inference, RunOptions } from './types.ts';

/**
 * The most work (`itemWork`) of a run that does not get a thread of its own: about a tenth of a millisecond, which is what a request takes to go to another thread and
 * come back (`benchmarks/request-cpu.ts`).
 */
export const MOST_WORK_HERE = 2e6;

/**
 * A session on the thread of its caller for runs that are over before another thread would have begun, and a thread, started with the first larger run, for the others.
 *
 * There is one run at a time here too: a large one waits for the small ones before it, and what comes while it is on the thread follows it there.
 */
export class SmallModelEngine implements Engine {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly settings: EngineSettings;
  readonly itemsHere: number;
  readonly ended: Promise<Error | undefined>;
  readonly #session: InferenceSession;
  readonly #startThread: () => Promise<Engine>;
  #thread: Promise<Engine> | undefined;
  #runsHere = 0;
  #runsThere = 0;
  /** Called once no run is on this thread. */
  #onIdle: (() => void)[] = [];
  #end: (reason: Error | undefined) => void = () => {};
  #hasEnded = false;

  constructor(
    session: InferenceSession,
    settings: EngineSettings,
    itemsHere: number,
    startThread: () => Promise<Engine>,
  ) {
    this.#session = session;
    this.itemsHere = itemsHere;
    this.#startThread = startThread;
    this.inputs = tensorSpecs(session.inputMetadata);
    this.outputs = tensorSpecs(session.outputMetadata);
    this.settings = settings;
    this.ended = new Promise((resolve) => {
      this.#end = (reason) => {
        this.#hasEnded = true;
        resolve(reason);
      };
    });
  }

  run(inputs: readonly NamedTensor[], options: RunOptions = {}): Promise<Inference> {
    if (this.#hasEnded) return Promise.reject(gone());
    const isSmall = itemsOf(inputs) <= this.itemsHere;
    if (!isSmall || this.#runsThere > 0) return this.#runThere(inputs, options);
    return this.#runHere(inputs, options);
  }

  async #runHere(inputs: readonly NamedTensor[], { lend = [], outputs }: RunOptions): Promise<Inference> {
    const calledNs = monotonicNs();
    this.#runsHere++;
    try {
      const done = await runSession(this.#session, inputs, outputs);
      return {
        outputs: done.outputs,
        queueUs: (done.startedNs - calledNs) / NS_PER_US,
        computeUs: (done.endedNs - done.startedNs) / NS_PER_US,
        returned: lend,
      };
    } finally {
      this.#runsHere--;
      if (this.#runsHere === 0) for (const resume of this.#onIdle.splice(0)) resume();
    }
  }

  /** Resolves when the runs on this thread are done. */
  async #idle(): Promise<void> {
    if (this.#runsHere > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  async #runThere(inputs: readonly NamedTensor[], options: RunOptions): Promise<Inference> {
    const calledNs = monotonicNs();
    this.#runsThere++;
    try {
      this.#thread ??= this.#start();
      await this.#idle();
      const thread = await this.#thread;
      const waitedNs = monotonicNs() - calledNs;
      const inference = await thread.run(inputs, options);
      return { ...inference, queueUs: inference.queueUs + waitedNs / NS_PER_US };
    } finally {
      this.#runsThere--;
    }
  }

  async #start(): Promise<Engine> {
    const thread = await this.#startThread().catch((error: unknown) => {
      throw new InferenceError('runtime', messageOf(error));
    });
    void thread.ended.then((reason) => {
      if (reason !== undefined) this.#end(reason);
    });
    return thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.#end(undefined);
    await this.#idle();
    await (await this.#thread)?.[Symbol.asyncDispose]();
    await this.#session.release();
  }
}

function itemsOf(inputs: readonly NamedTensor[]): number {
  return Math.max(1, ...inputs.map(({ shape: [batch = 1] }) => batch));
}
