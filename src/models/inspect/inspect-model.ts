import { countCost, type LayerCost } from '../cost.ts';
import { opsetOf } from '../rewrite/normalize.ts';
import { readModel } from '../rewrite/read-model.ts';
import type { ResolvedModel } from '../types.ts';
import { type ModelMemory, memoryOf } from './memory.ts';
import { type OptimizedOperator, optimizedOperators } from './optimized.ts';
import { refusalOf } from './refusal.ts';

/** What the nodes of one type cost together. */
export interface OperatorShare {
  readonly opType: string;
  readonly count: number;
  /** Multiply-adds of one item; undefined where a part of them is not known. */
  readonly macs: number | undefined;
}

export interface ModelReport extends ResolvedModel, ModelMemory {
  readonly opset: number;
  readonly operators: readonly OperatorShare[];
  readonly layers: readonly LayerCost[];
  /** Why onnxruntime does not load the file, in its words; undefined where it does. What else stands here was read from the file. */
  readonly refusal: string | undefined;
  /** What onnxruntime runs on this machine; undefined where it was not asked for. */
  readonly optimized: readonly OptimizedOperator[] | undefined;
}

export interface InspectOptions {
  /** Also load the model into onnxruntime and tell what it makes of it. */
  readonly optimized?: boolean | undefined;
  /** Sizes of open dimensions besides the batch, e.g. { sequence: 128 }. */
  readonly dims?: Readonly<Record<string, number>> | undefined;
}

/**
 * All that can be told of a model without measuring it.
 *
 * @throws ModelError if the file is damaged or its graph is not one that can run, or onnxruntime refuses a model that it was asked to optimise
 */
export async function inspectResolved(model: ResolvedModel, options: InspectOptions = {}): Promise<ModelReport> {
  const { model: onnx } = await readModel(model.file);
  const { layers, macs } = countCost(onnx, model.file, options.dims);
  return {
    ...model,
    macs,
    ...memoryOf(onnx, model.file, options.dims),
    opset: opsetOf(onnx),
    operators: sharesOf(layers),
    layers,
    refusal: options.optimized ? undefined : await refusalOf(model.file),
    optimized: options.optimized ? await optimizedOperators(model.file) : undefined,
  };
}

function sharesOf(layers: readonly LayerCost[]): OperatorShare[] {
  const shares = new Map<string, OperatorShare>();
  for (const { opType, macs } of layers) {
    const before = shares.get(opType) ?? { opType, count: 0, macs: 0 };
    const sum = before.macs === undefined || macs === undefined ? undefined : before.macs + macs;
    shares.set(opType, { opType, count: before.count + 1, macs: sum });
  }
  return [...shares.values()].sort((a, b) => (b.macs ?? 0) - (a.macs ?? 0) || b.count - a.count);
}
