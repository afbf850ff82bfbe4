import { type Engine, loadEngine } from '../../engine/index.ts';
import { makeSampleBatches } from '../../models/index.ts';
import { monotonicNs, NS_PER_MS, US_PER_MS } from '../../units.ts';
import type { ModelSettings } from '../types.ts';
import { EngineModel } from './engine-model.ts';
import type { LoadedModel } from './types.ts';

/**
 * Loads a model, asks it for one inference, and measures both.
 * @throws ModelError where it cannot be loaded
 */
export async function loadModel(settings: ModelSettings): Promise<LoadedModel> {
  const residentBefore = process.memoryUsage.rss();
  const startNs = monotonicNs();
  const engine = await loadEngine(settings.file, settings.engine);
  const loadMs = (monotonicNs() - startNs) / NS_PER_MS;
  const warmUpMs = await warmUp(engine);
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - residentBefore);
  return new EngineModel(settings, engine, { loadMs, warmUpMs, memoryBytes });
}

/** Milliseconds of a first inference on random input; undefined where none can be made up, as of text, or the model fails on it: its users may know a better one. */
async function warmUp(engine: Engine): Promise<number | undefined> {
  const open = engine.inputs.flatMap(({ shape }) => shape.filter((size) => typeof size === 'string'));
  const first = engine.inputs[0]?.shape[0];
  const batch = typeof first === 'number' ? first : 1;
  try {
    const dims = Object.fromEntries(open.map((name) => [name, 1]));
    const [sample] = makeSampleBatches(engine.inputs, { batch, count: 1, seed: 1, dims });
    if (sample === undefined) return undefined;
    const { computeUs } = await engine.run(sample.tensors);
    return computeUs / US_PER_MS;
  } catch {
    return undefined;
  }
}
