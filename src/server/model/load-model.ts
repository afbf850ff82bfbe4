import { type Engine, loadEngine } from '../../engine/index.ts';
import { ModelError, messageOf } from '../../errors.ts';
import { makeSampleBatches, readSidecar } from '../../models/index.ts';
import type { NamedTensor } from '../../models/types.ts';
import { monotonicNs, NS_PER_MS, US_PER_MS } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { DEFAULT_MAX_QUEUE } from '../serving-parameters.ts';
import type { ModelSettings } from '../types.ts';
import { whyNotJoinable } from './batch-shapes.ts';
import { EngineModel } from './engine-model.ts';
import { ImageIntake } from './image-intake.ts';
import { splitOutputs } from './join-requests.ts';
import type { LoadedModel, ModelEvents } from './types.ts';

/**
 * Loads a model into its sessions, asks each for one inference, and measures both.
 * @throws ModelError where it cannot be loaded, or not be served as the settings ask
 */
export async function loadModel(settings: ModelSettings, pool: BufferPool, events: ModelEvents): Promise<LoadedModel> {
  const residentBefore = process.memoryUsage.rss();
  const startNs = monotonicNs();
  const engines: Engine[] = [];
  try {
    const { file, engine, instances = 1 } = settings;
    // Several sessions are there to work at the same time, each on a thread.
    for (let i = 0; i < instances; i++) engines.push(await loadEngine(file, engine, { smallHere: instances === 1 }));
    const loadMs = (monotonicNs() - startNs) / NS_PER_MS;
    if (settings.batching !== undefined) await assertJoinable(settings, engines[0] as Engine);
    const images = imageIntakeOf(settings, engines[0] as Engine);
    const warmUpMs = await warmUp(engines);
    const memoryBytes = Math.max(0, process.memoryUsage.rss() - residentBefore);
    const serverThreadItems = engines[0]?.itemsHere ?? 0;
    const figures = { loadMs, warmUpMs, memoryBytes, serverThreadItems };
    return new EngineModel(settings, { engines, figures, images, pool, events });
  } catch (error) {
    await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    throw error;
  }
}

/** @throws ModelError where the model does not take images as its settings say */
function imageIntakeOf({ image, file, maxQueue = DEFAULT_MAX_QUEUE }: ModelSettings, { inputs }: Engine) {
  const description = image ?? readSidecar(file);
  return description && new ImageIntake(description, inputs, file, maxQueue);
}

/** Milliseconds of the slowest first inference; undefined where no input can be made up, as of text, or the model fails on it: its users may know a better one. */
async function warmUp(engines: readonly Engine[]): Promise<number | undefined> {
  const timesMs: number[] = [];
  for (const engine of engines) {
    const first = engine.inputs[0]?.shape[0];
    const input = makeInput(engine, typeof first === 'number' ? first : 1);
    if (input === undefined) return undefined;
    try {
      timesMs.push((await engine.run(input)).computeUs / US_PER_MS);
    } catch {
      return undefined;
    }
  }
  return Math.max(...timesMs);
}

/** Random input; undefined where none can be made up. */
function makeInput({ inputs }: Engine, batch: number): readonly NamedTensor[] | undefined {
  const open = inputs.flatMap(({ shape }) => shape.filter((size) => typeof size === 'string'));
  try {
    const dims = Object.fromEntries(open.map((name) => [name, 1]));
    return makeSampleBatches(inputs, { batch, count: 1, seed: 1, dims })[0]?.tensors;
  } catch {
    return undefined;
  }
}

/** @throws ModelError for a model of which requests cannot be run together, as far as its signature and a run of two items tell */
async function assertJoinable({ file, name }: ModelSettings, engine: Engine): Promise<void> {
  const why = whyNotJoinable(engine) ?? (await whyNotSplit(engine));
  if (why === undefined) return;
  throw new ModelError({
    where: file,
    what: `requests to "${name}" cannot be run together: ${why}`,
    hint: 'Serve it without max_batch, or export it with an open first dimension in every input and output.',
  });
}

async function whyNotSplit(engine: Engine): Promise<string | undefined> {
  const input = makeInput(engine, 2);
  if (input === undefined) return undefined;
  try {
    splitOutputs((await engine.run(input)).outputs, [1, 1]);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
