import '../no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelError, messageOf } from '../errors.ts';
import { fusionSettings } from './fused-outputs.ts';
import { type OnnxModel, writeOnnx } from './onnx-file.ts';
import { createMessage } from './onnx-schema.ts';
import type { DataType, NamedTensor } from './types.ts';

/** Runs a model in this process, for calibration and evaluation. One thread, so that sums are added in one order and the same file gives the same numbers. */
export interface ModelRunner extends AsyncDisposable {
  run(inputs: readonly NamedTensor[]): Promise<ReadonlyMap<string, NamedTensor>>;
}

/**
 * A runner over a model in memory.
 *
 * Watching stops short of the last level of graph optimisation. There onnxruntime 1.30 can fuse a convolution with the addition that reads it although its value is to be given as
 * well; no node gives it then, and running ends the process with a segmentation fault. test/models/residual-addition.ts has such a graph.
 * @param watched - values inside the graph to give besides its outputs
 * @throws ModelError if onnxruntime refuses the model
 */
export async function openRunner(
  model: OnnxModel,
  where: string,
  watched: readonly string[] = [],
): Promise<ModelRunner> {
  const { graph } = model;
  const outputs = new Set(graph.output.map(({ name }) => name));
  const added = watched.filter((name) => !outputs.has(name)).map((name) => createMessage('ValueInfoProto', { name }));
  const bytes = writeOnnx({ ...model, graph: { ...graph, output: [...graph.output, ...added] } });
  return runnerOf(bytes, where, added.length > 0 ? 'extended' : 'all');
}

/** A runner over a file, with all of onnxruntime's graph optimisations, as it is served. */
export function openFileRunner(file: string): Promise<ModelRunner> {
  return runnerOf(file, file, 'all');
}

async function runnerOf(source: string | Uint8Array, where: string, level: 'extended' | 'all'): Promise<ModelRunner> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(source as string, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: level,
      extra: fusionSettings(source),
      // Warnings about a graph that is being watched are of no use to anyone.
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new ModelError(
      {
        where,
        what: `onnxruntime refuses the model: ${messageOf(error)}`,
        hint: 'Check that the file can be served, e.g. with `dse serve`.',
      },
      error,
    );
  }
  return {
    async run(inputs) {
      const feeds = Object.fromEntries(
        inputs.map(({ name, type, shape, data }) => [
          name,
          new Tensor(type, data as Tensor.DataTypeMap[typeof type], shape),
        ]),
      );
      const results = await session.run(feeds);
      return new Map(
        Object.entries(results).map(([name, { type, dims, data }]) => [
          name,
          { name, type: type as DataType, shape: dims, data: data as NamedTensor['data'] },
        ]),
      );
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}
