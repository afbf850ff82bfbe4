import type { ModelMetadata } from '../kserve/types.ts';
import { writeDescription } from '../models/index.ts';
import { BYTES_PER_MB } from '../units.ts';
import type { LoadedModel } from './model/types.ts';
import { servingParameters } from './serving-parameters.ts';

/** What the server says of a loaded model; `parameters` are the settings it really runs with, and what it took to load it. */
export function describeModel(
  { settings, signature, figures, images }: LoadedModel,
  versions: readonly string[],
): ModelMetadata {
  return {
    name: settings.name,
    versions,
    platform: 'onnxruntime_onnx',
    inputs: signature.inputs,
    outputs: signature.outputs,
    parameters: {
      ...servingParameters(settings),
      ...(images && { image: writeDescription(images.description) }),
      server_thread_items: figures.serverThreadItems,
      load_ms: figures.loadMs,
      warm_up_ms: figures.warmUpMs,
      load_memory_mb: figures.memoryBytes / BYTES_PER_MB,
    },
  };
}
