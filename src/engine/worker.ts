import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../errors.ts';
import type { NamedTensor } from '../models/types.ts';
import { InferenceError } from './inference-error.ts';
import { runSession, sessionOptions, tensorSpecs } from './session.ts';
import {
  type FromWorker,
  partsOf,
  type RunMessage,
  type ToWorker,
  tensorOf,
  type WorkerStart,
} from './worker-messages.ts';

/** The thread a session lives on: `InferenceSession.run` blocks the thread that calls it, and this one has nothing else to do. */

const port = parentPort as NonNullable<typeof parentPort>;

async function main({ file, settings, fusions }: WorkerStart): Promise<void> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(file, sessionOptions(settings, fusions));
    send({
      kind: 'loaded',
      inputs: tensorSpecs(session.inputMetadata),
      outputs: tensorSpecs(session.outputMetadata),
    });
  } catch (error) {
    send({ kind: 'unloadable', reason: messageOf(error) });
    port.close();
    return;
  }
  // One run after another, so that each one's start is when the runtime turns to it.
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    last = last.then(() => ('kind' in message ? close(session) : run(session, message)));
  });
}

async function run(session: InferenceSession, [id, inputs, outputs, lent]: RunMessage): Promise<void> {
  try {
    const done = await runSession(session, inputs.map(tensorOf), outputs);
    const lists = [done.outputs.map(partsOf), lent] as const;
    send([id, ...lists, done.startedNs, done.endedNs], [...buffersOf(done.outputs), ...lent]);
  } catch (error) {
    const errorKind = error instanceof InferenceError ? error.kind : 'runtime';
    send({ kind: 'failed', id, errorKind, reason: messageOf(error) });
  }
}

async function close(session: InferenceSession): Promise<void> {
  await session.release();
  port.close();
}

function send(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function buffersOf(tensors: readonly NamedTensor[]): ArrayBuffer[] {
  const buffers = tensors.flatMap(({ data }) => (Array.isArray(data) ? [] : [data.buffer as ArrayBuffer]));
  return [...new Set(buffers)];
}

await main(workerData as WorkerStart);
