import { intAttribute } from '../inference/operator.ts';
import { type GraphProto, type NodeProto, onnxDataTypes } from '../onnx-schema.ts';

const { float32, uint8, int32, int64, bool } = onnxDataTypes;

/** Operators whose output has a type of its own, whatever it reads. */
const fixedTypes: Readonly<Record<string, number>> = {
  ConvInteger: int32,
  MatMulInteger: int32,
  MatMulIntegerToFloat: float32,
  DynamicQuantizeMatMul: float32,
  DequantizeLinear: float32,
  Shape: int64,
  Size: int64,
  Equal: bool,
  Greater: bool,
  Less: bool,
  Not: bool,
};

/**
 * Element types of the values of a graph whose nodes stand in an order in which they can run, by name, as numbers of `TensorProto.DataType`.
 *
 * Follows the standard operators and those that onnxruntime's optimisations put in their place. Where nothing better is known, a node gives the type of its first input.
 */
export function elementTypes(graph: GraphProto): ReadonlyMap<string, number> {
  const types = new Map<string, number>();
  for (const { name = '', type } of graph.input) types.set(name, type?.tensorType?.elemType ?? float32);
  for (const { name = '', dataType = float32 } of graph.initializer) types.set(name, dataType);
  for (const node of graph.node) {
    for (const [index, name] of node.output.entries()) types.set(name, typeOf(node, index, types));
  }
  return types;
}

function typeOf(node: NodeProto, output: number, types: ReadonlyMap<string, number>): number {
  const { opType = '' } = node;
  const of = (index: number) => types.get(node.input[index] ?? '');
  switch (opType) {
    case 'Cast':
      return intAttribute(node, 'to', float32);
    case 'QuantizeLinear':
      return of(2) ?? uint8;
    case 'DynamicQuantizeLinear':
      return output === 1 ? float32 : uint8;
    case 'QLinearConcat':
      return of(1) ?? uint8;
    case 'QGemm':
      return of(8) ?? float32;
    case 'Where':
      return of(1) ?? float32;
    default:
      return fixedTypes[opType] ?? of(0) ?? float32;
  }
}
