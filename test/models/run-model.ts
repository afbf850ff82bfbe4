import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import type { GraphBuilder } from '../../src/models/graph-builder.ts';
import { type OnnxModel, readOnnx, writeOnnx } from '../../src/models/onnx-file.ts';
import type { ModelProto } from '../../src/models/onnx-schema.ts';
import { defaultDimensions } from '../../src/models/open-dimensions.ts';
import { quantizeStatic } from '../../src/models/quantize/static.ts';
import { normalize } from '../../src/models/rewrite/normalize.ts';
import { makeSampleBatches } from '../../src/models/samples.ts';
import { inputSpecs } from '../../src/models/tensor-specs.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { randomCalibration } from '../../src/models/variants/calibration-set.ts';

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

/** The model prepared and rounded as the variant int8-static, calibrated on random inputs, and how many tensors are integers in the file only. */
export async function quantized(base: ModelProto | GraphBuilder): Promise<{ model: OnnxModel; stored: number }> {
  const model = copyOf(base);
  normalize(model, 'test');
  const inputs = inputSpecs(model.graph, 'test');
  const set = randomCalibration(inputs, defaultDimensions(model, inputs));
  return { model, stored: await quantizeStatic(model, 'test', { set, method: 'minmax' }) };
}

/** Operators that onnxruntime makes of a model with all its optimisations, and how many of each. */
export async function optimizedOperators(model: ModelProto): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'dse-optimized-'));
  try {
    const optimizedModelFilePath = join(folder, 'optimized.onnx');
    const options = { graphOptimizationLevel: 'all', optimizedModelFilePath, logSeverityLevel: 3 } as const;
    await (await ort.InferenceSession.create(writeOnnx(model), options)).release();
    const counts: Record<string, number> = {};
    for (const { opType = '' } of readOnnx(readFileSync(optimizedModelFilePath), 'optimized').graph.node) {
      counts[opType] = (counts[opType] ?? 0) + 1;
    }
    return counts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
