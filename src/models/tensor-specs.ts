import { ModelError } from '../errors.ts';
import { type GraphProto, onnxDataTypes, type ValueInfoProto } from './onnx-schema.ts';
import type { DataType, TensorSpec } from './types.ts';

const typeNames = new Map<number, DataType>(
  Object.entries(onnxDataTypes).map(([name, number]) => [number, name as DataType]),
);

/** What a caller must feed. Old files list their weights as inputs too; those have values already and are left out. */
export function inputSpecs(graph: GraphProto, where: string): TensorSpec[] {
  const initializers = new Set(graph.initializer.map((tensor) => tensor.name));
  return graph.input.filter((input) => !initializers.has(input.name)).map((input) => describe(input, 'input', where));
}

export function outputSpecs(graph: GraphProto, where: string): TensorSpec[] {
  return graph.output.map((output) => describe(output, 'output', where));
}

function describe(value: ValueInfoProto, role: 'input' | 'output', where: string): TensorSpec {
  const name = value.name ?? '';
  const tensorType = value.type?.tensorType;
  const type = typeNames.get(tensorType?.elemType ?? 0);
  if (tensorType === undefined || type === undefined) {
    throw new ModelError({
      where,
      what: `the ${role} "${name}" is not a tensor of a type that can be sent (element type ${tensorType?.elemType ?? 'none'})`,
      hint: `dse serves tensors of ${[...typeNames.values()].join(', ')}.`,
    });
  }
  if (tensorType.shape === undefined) {
    // An output's rank may be unknown until it runs; an input has to be made before that.
    if (role === 'output') return { name, type, shape: [] };
    throw new ModelError({
      where,
      what: `the input "${name}" does not say how many dimensions it has`,
      hint: 'Export the model with its input shapes; dimensions that vary may be symbolic, e.g. "batch".',
    });
  }
  const shape = tensorType.shape.dim.map(({ dimValue, dimParam }, axis) => {
    // Some exporters write -1 for a dimension that varies.
    if (dimValue === undefined || dimValue === -1) return dimParam || `${name}_dim_${axis}`;
    if (typeof dimValue === 'bigint' || dimValue < 0) {
      throw new ModelError({
        where,
        what: `the ${role} "${name}" has an impossible size ${dimValue} in dimension ${axis}`,
        hint: 'Export the model again; a dimension that varies should be symbolic, e.g. "batch".',
      });
    }
    return dimValue;
  });
  return { name, type, shape };
}
