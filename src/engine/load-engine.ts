import '../no-telemetry.ts';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { InferenceSession } from 'onnxruntime-node';
import { ModelError, messageOf } from '../errors.ts';
import { fusionSettings, itemWork } from '../models/index.ts';
import type { FusionSettings } from '../models/types.ts';
import { compiledEntry } from '../package-files.ts';
import { sessionOptions } from './session.ts';
import { MOST_WORK_HERE, SmallModelEngine } from './small-model-engine.ts';
import type { Engine, EngineSettings } from './types.ts';
import { WorkerEngine } from './worker-engine.ts';
import type { FromWorker, WorkerStart } from './worker-messages.ts';

/** A file of this size is read to see how much a run takes; what is larger is no small model. */
const SMALL_FILE_BYTES = 16e6;

/**
 * Loads an ONNX file into onnxruntime on a thread of its own.
 *
 * The thread keeps the caller's event loop free while the runtime computes, so that requests are seen, and their waiting time starts, when they arrive.
 * A model whose outputs onnxruntime's fusion of convolutions with additions would lose is loaded without that fusion. Lent buffers and all outputs move between the threads without a copy.
 * @param file - path of the ONNX file; external weights lie beside it
 * @param options - `smallHere`: small runs go on the caller's thread, see `SmallModelEngine`
 * @throws ModelError where the file is missing, is not a model, or cannot be run
 */
export async function loadEngine(
  file: string,
  settings: EngineSettings,
  { smallHere = false }: { readonly smallHere?: boolean } = {},
): Promise<Engine> {
  if (!existsSync(file)) {
    throw new ModelError({ where: file, what: 'there is no such file', hint: 'Give the path of an ONNX file.' });
  }
  // What dse cannot make out in a file, the runtime may.
  const work = smallHere ? await itemWork(file, SMALL_FILE_BYTES).catch(() => undefined) : undefined;
  if (work === undefined || work > MOST_WORK_HERE) return startThread(file, settings);
  try {
    const session = await InferenceSession.create(file, sessionOptions(settings, fusionsOf(file)));
    return new SmallModelEngine(session, settings, Math.floor(MOST_WORK_HERE / work), () =>
      startThread(file, settings),
    );
  } catch (error) {
    throw error instanceof ModelError ? error : unloadable(file, messageOf(error));
  }
}

async function startThread(file: string, settings: EngineSettings): Promise<Engine> {
  const start: WorkerStart = { file, settings, fusions: fusionsOf(file) };
  const worker = new Worker(compiledEntry('engine/worker'), { workerData: start, name: 'inference' });
  const first = await firstMessage(worker);
  if (!('kind' in first) || first.kind !== 'loaded') {
    await worker.terminate();
    throw unloadable(file, 'kind' in first && first.kind === 'unloadable' ? first.reason : 'an unexpected message');
  }
  return new WorkerEngine(worker, first.inputs, first.outputs, settings);

  function firstMessage(from: Worker): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      from.once('message', resolve);
      from.once('error', (error) => reject(unloadable(file, error.message)));
    });
  }
}

function fusionsOf(file: string): FusionSettings {
  try {
    return fusionSettings(file);
  } catch (error) {
    throw unloadable(file, messageOf(error));
  }
}

function unloadable(file: string, reason: string): ModelError {
  return new ModelError({
    where: file,
    what: `onnxruntime cannot load it: ${reason.trim().replaceAll(/\s+/g, ' ')}`,
    hint: 'Check that it is a complete ONNX file whose operators onnxruntime has on a CPU.',
  });
}
