import type { ModelMetadata } from '../kserve/types.ts';
import { BYTES_PER_MB } from '../units.ts';
import { DEFAULT_MAX_QUEUE } from './model/index.ts';
import type { LoadedModel } from './model/types.ts';

/** What the server says of a loaded model; `parameters` are the settings it really runs with, and what it took to load it. */
export function describeModel(
  { settings, signature, figures }: LoadedModel,
  versions: readonly string[],
): ModelMetadata {
  const { instances = 1, batching, cache, maxQueue = DEFAULT_MAX_QUEUE } = settings;
  const { intraOpThreads, interOpThreads, executionMode, graphOptimization, spinning } = settings.engine;
  return {
    name: settings.name,
    versions,
    platform: 'onnxruntime_onnx',
    inputs: signature.inputs,
    outputs: signature.outputs,
    parameters: {
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
      load_ms: figures.loadMs,
      warm_up_ms: figures.warmUpMs,
      load_memory_mb: figures.memoryBytes / BYTES_PER_MB,
    },
  };
}
