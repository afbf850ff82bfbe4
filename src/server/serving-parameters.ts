import { writeDescription } from '../models/index.ts';
import type { ModelSettings, ServerSettings } from './types.ts';

/** Requests that may wait where the settings do not say. */
export const DEFAULT_MAX_QUEUE = 1000;

/** Largest request body where the settings do not say. */
export const DEFAULT_BODY_LIMIT_BYTES = 256e6;

/** How a model is served, as its metadata tell under `parameters`: one entry for each setting that an experiment may vary, and how images become its input. */
export function servingParameters(settings: ModelSettings): Readonly<Record<string, unknown>> {
  const { instances = 1, batching, cache, maxQueue = DEFAULT_MAX_QUEUE, deadlineMs, image } = settings;
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
    deadline_ms: deadlineMs ?? 'off',
    cache: cache?.entries ?? 'off',
    ...(image !== undefined && { image: writeDescription(image) }),
  };
}

/** The settings of the whole server that an experiment may vary, as its metadata tell over REST under `parameters`. */
export function serverParameters({
  maxLoaded,
  bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES,
}: Pick<ServerSettings, 'maxLoaded' | 'bodyLimitBytes'>): Readonly<Record<string, unknown>> {
  return { max_loaded: maxLoaded ?? 'off', body_limit_bytes: bodyLimitBytes };
}
