import type { Worker } from 'node:worker_threads';
import type { NamedTensor, TensorSpec } from '../models/types.ts';
import { monotonicNs, NS_PER_US } from '../units.ts';
import { unreachable } from '../unreachable.ts';
import { gone, InferenceError } from './inference-error.ts';
import type { Engine, EngineSettings, Inference, RunOptions } from './types.ts';
import { type DoneMessage, type FromWorker, partsOf, type ToWorker, tensorOf } from './worker-messages.ts';

interface PendingRun {
  readonly calledNs: number;
  readonly resolve: (inference: Inference) => void;
  readonly reject: (error: InferenceError) => void;
}

/** How long a disposed worker may take to finish the runs it was given, milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** The near side of a worker thread that holds a loaded session. */
export class WorkerEngine implements Engine {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly settings: EngineSettings;
  readonly itemsHere = 0;
  readonly ended: Promise<Error | undefined>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingRun>();
  #nextId = 0;
  #isClosing = false;
  #hasEnded = false;

  constructor(worker: Worker, inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], settings: EngineSettings) {
    this.#worker = worker;
    this.inputs = inputs;
    this.outputs = outputs;
    this.settings = settings;
    worker.on('message', (message: FromWorker) => this.#settle(message));
    this.ended = new Promise((resolve) => {
      worker.once('error', (error) => resolve(this.#end(error)));
      worker.once('exit', (code) => {
        resolve(this.#end(this.#isClosing ? undefined : new Error(`its thread ended with code ${code}`)));
      });
    });
  }

  run(inputs: readonly NamedTensor[], options: RunOptions = {}): Promise<Inference> {
    const calledNs = monotonicNs();
    if (this.#isClosing || this.#hasEnded) return Promise.reject(gone());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const lent = options.lend ?? [];
      this.#send([id, inputs.map(partsOf), options.outputs, lent], lent);
      this.#pending.set(id, { calledNs, resolve, reject });
    });
  }

  /** Lets the runs already given finish, for at most five seconds, and ends the thread. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosing && !this.#hasEnded) {
      this.#isClosing = true;
      this.#send({ kind: 'close' });
    }
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #send(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #settle(message: FromWorker): void {
    if (!('kind' in message)) {
      this.#finish(message);
      return;
    }
    switch (message.kind) {
      case 'loaded':
      case 'unloadable':
        return;
      case 'failed':
        this.#take(message.id)?.reject(new InferenceError(message.errorKind, message.reason));
        return;
      default:
        unreachable(message);
    }
  }

  #finish([id, outputs, returned, startedNs, endedNs]: DoneMessage): void {
    const run = this.#take(id);
    run?.resolve({
      outputs: outputs.map(tensorOf),
      queueUs: (startedNs - run.calledNs) / NS_PER_US,
      computeUs: (endedNs - startedNs) / NS_PER_US,
      returned,
    });
  }

  #take(id: number): PendingRun | undefined {
    const run = this.#pending.get(id);
    this.#pending.delete(id);
    return run;
  }

  #end(reason: Error | undefined): Error | undefined {
    this.#hasEnded = true;
    for (const run of this.#pending.values()) run.reject(gone());
    this.#pending.clear();
    return reason;
  }
}
