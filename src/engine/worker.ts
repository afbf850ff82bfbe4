import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../errors.ts';
import type { NamedTensor } from '../models/types.ts';
import { monotonicNs } from '../units.ts';
import { InferenceError } from './inference-error.ts';
import { fromRuntimeTensor, sessionOptions, tensorSpecs, toRuntimeTensor } from './session.ts';
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
    const feeds = Object.fromEntries(inputs.map((parts) => [parts[0], toRuntimeTensor(tensorOf(parts))]));
    const startedNs = monotonicNs();
    const fetched = outputs === undefined ? await session.run(feeds) : await session.run(feeds, outputs);
    const endedNs = monotonicNs();
    const results = Object.entries(fetched).map(([name, tensor]) => fromRuntimeTensor(name, tensor));
    send([id, results.map(partsOf), lent, startedNs, endedNs], [...buffersOf(results), ...lent]);
  } catch (error) {
    const errorKind = error instanceof InferenceError ? error.kind : kindOf(error);
    send({ kind: 'failed', id, errorKind, reason: messageOf(error) });
  }
}

/** onnxruntime-node gives no error code, only text. These are its checks of the inputs before the graph runs. */
function kindOf(error: unknown): 'inputs' | 'runtime' {
  return /^(?:Got invalid dimensions|Invalid rank|Unexpected input data type|Invalid [Ff]eed)/.test(messageOf(error))
    ? 'inputs'
    : 'runtime';
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
