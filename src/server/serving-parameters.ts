import { writeDescription } from '../models/index.ts';
import type { ModelSettings } from './types.ts';

/** Requests that may wait where the settings do not say. */
export const DEFAULT_MAX_QUEUE = 1000;

/** How a model is served, as its metadata tell under `parameters`: one entry for each setting that an experiment may vary, and how images become its input. */
export function servingParameters(settings: ModelSettings): Readonly<Record<string, unknown>> {
  const { instances = 1, batching, cache, maxQueue = DEFAULT_MAX_QUEUE, image } = settings;
  const { intraOpThreads, interOpThreads, executionMode, graphOptimization, spinning } = settings.engine;
  return {
    intra_op_threads: intraOpThreads,
    inter_op_threads: interOpThreads,
    execution_mode: executionMode,
    graph_optimization: graphOptimization,
    spinning,
    instances,
    max_batch: batching?.maxBatch ?? 'off',
    max_queue_delay_ms: batching?.maxQueueDelayMs ?? 0,
    preferred_batches: batching?.preferredBatches ?? [],
    max_queue: maxQueue,
    cache: cache?.entries ?? 'off',
    ...(image !== undefined && { image: writeDescription(image) }),
  };
}
