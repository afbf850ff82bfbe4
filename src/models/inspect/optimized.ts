import '../../no-telemetry.ts';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { ModelError, messageOf } from '../../errors.ts';
import { fusionSettings } from '../fused-outputs.ts';
import { readOnnx } from '../onnx-file.ts';
import { type NodeProto, onnxDataTypes } from '../onnx-schema.ts';
import { elementTypes } from './element-types.ts';

/** Nodes of one type and number format in the graph that onnxruntime runs. */
export interface OptimizedOperator {
  readonly opType: string;
  /** Integer where what it reads or what it multiplies is 8-bit; border where it turns one format into the other. */
  readonly format: 'integer' | 'float' | 'border';
  readonly count: number;
}

const { float32, float64, float16, int8, uint8, int32 } = onnxDataTypes;
const FLOATS: readonly number[] = [float32, float64, float16];
const INTEGERS: readonly number[] = [int8, uint8, int32];

/**
 * The operators that onnxruntime makes of a model with all its optimisations on this machine, and which of them compute in float.
 *
 * @param file - absolute path
 * @throws ModelError if onnxruntime refuses the model
 */
export async function optimizedOperators(file: string): Promise<OptimizedOperator[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dse-optimized-'));
  try {
    const optimizedModelFilePath = join(folder, 'optimized.onnx');
    const session = await InferenceSession.create(file, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: 1,
      extra: fusionSettings(file),
      // It warns that such a file is for this machine only, which is what is asked for.
      logSeverityLevel: 3,
      optimizedModelFilePath,
    });
    await session.release();
    const { graph } = readOnnx(await readFile(optimizedModelFilePath), optimizedModelFilePath);
    return countByFormat(graph.node, elementTypes(graph));
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      {
        where: file,
        what: `onnxruntime refuses the model: ${messageOf(error)}`,
        hint: 'Check that the file can be served, e.g. with `dse serve`.',
      },
      error,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function countByFormat(nodes: readonly NodeProto[], types: ReadonlyMap<string, number>): OptimizedOperator[] {
  const counts = new Map<string, OptimizedOperator>();
  for (const node of nodes) {
    const { opType = '' } = node;
    const format = formatOf(node, types);
    const key = `${opType} ${format}`;
    counts.set(key, { opType, format, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.opType < b.opType ? -1 : 1));
}

function formatOf(node: NodeProto, types: ReadonlyMap<string, number>): OptimizedOperator['format'] {
  const { opType = '' } = node;
  if (['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Cast'].includes(opType)) return 'border';
  if (/^(QLinear|QGemm|DynamicQuantizeMatMul|MatMulInteger|ConvInteger|QAttention)/.test(opType)) return 'integer';
  const read = types.get(node.input[0] ?? '') ?? float32;
  return INTEGERS.includes(read) && !FLOATS.includes(types.get(node.output[0] ?? '') ?? read) ? 'integer' : 'float';
}
