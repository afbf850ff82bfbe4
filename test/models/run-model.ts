import * as ort from 'onnxruntime-node';
import type { GraphBuilder } from '../../src/models/graph-builder.ts';
import { type OnnxModel, readOnnx, writeOnnx } from '../../src/models/onnx-file.ts';
import type { ModelProto } from '../../src/models/onnx-schema.ts';
import { makeSampleBatches } from '../../src/models/samples.ts';
import { inputSpecs } from '../../src/models/tensor-specs.ts';
import type { NamedTensor } from '../../src/models/types.ts';

/** What a model answers, fully optimised and on one thread: all elements of its first output. */
export async function answer(model: ModelProto, inputs: readonly NamedTensor[]): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(writeOnnx(model), {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds = inputs.map(({ name, type, shape, data }) => [name, new ort.Tensor(type, data as never, shape)]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return results[String(session.outputNames[0])]?.data as Float32Array;
}

/** Seeded random inputs for a model; `dims` are the sizes of the dimensions that it leaves open. */
export function randomInputs(
  model: OnnxModel,
  batch: number,
  dims: Readonly<Record<string, number>> = {},
): readonly NamedTensor[] {
  return makeSampleBatches(inputSpecs(model.graph, 'test'), { batch, count: 1, seed: 7, dims })[0]?.tensors ?? [];
}

/** Largest difference between two answers, as a share of the largest element of the first. */
export function relativeDifference(expected: Float32Array, found: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = expected.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (found[index] ?? Number.NaN))),
    0,
  );
  return expected.length === found.length ? difference / largest : Number.NaN;
}

/** A model as read from a file: a copy of its own, which a rewrite may change. */
export function copyOf(model: ModelProto | GraphBuilder): OnnxModel {
  return readOnnx(writeOnnx('build' in model ? model.build({}) : model), 'test');
}
