import { inferConstant } from './constants.ts';
import { broadcast, broadcasting, cast, identity, likeFirstInput } from './elementwise.ts';
import { gemmMacs, inferGemm, inferMatMul, matMulMacs } from './matrices.ts';
import type { OperatorRule } from './operator.ts';
import {
  inferConcat,
  inferFlatten,
  inferGather,
  inferPad,
  inferReduce,
  inferReshape,
  inferShapeOf,
  inferSlice,
  inferSplit,
  inferSqueeze,
  inferTranspose,
  inferUnsqueeze,
} from './rearranging.ts';
import { inferRecurrent, recurrentMacs } from './recurrent.ts';
import { convMacs, convTransposeMacs, inferConv, inferConvTranspose, inferGlobalPool, inferPool } from './windows.ts';

const conv = (weightIndex: number): OperatorRule => ({
  infer: (operator) => inferConv(operator, weightIndex),
  macs: (operator, outputs) => convMacs(operator, outputs, weightIndex),
});

const matMul = (rightIndex: number): OperatorRule => ({
  infer: (operator) => inferMatMul(operator, rightIndex),
  macs: matMulMacs,
});

const recurrent = (gates: number): OperatorRule => ({
  infer: (operator) => inferRecurrent(operator, gates),
  macs: (operator) => recurrentMacs(operator, gates),
});

const rulesOf = (rule: OperatorRule, ...opTypes: readonly string[]) =>
  Object.fromEntries(opTypes.map((opType) => [opType, rule]));

/**
 * The operators of the default domain that are understood, by type.
 *
 * Multiply-adds are those of convolutions, matrix products and recurrent layers, as papers and torchvision count them; element-wise operators, poolings, normalisations
 * and softmax count none. An operator that is not listed is not understood: what it multiplies is not known, and nothing is guessed.
 * Source: https://onnx.ai/onnx/operators/
 */
export const operators: Readonly<Record<string, OperatorRule>> = {
  Conv: conv(1),
  ConvInteger: conv(1),
  QLinearConv: conv(3),
  ConvTranspose: { infer: inferConvTranspose, macs: convTransposeMacs },
  MatMul: matMul(1),
  MatMulInteger: matMul(1),
  QLinearMatMul: matMul(3),
  Gemm: { infer: inferGemm, macs: gemmMacs },
  LSTM: recurrent(4),
  GRU: recurrent(3),
  RNN: recurrent(1),

  ...rulesOf({ infer: inferPool }, 'AveragePool', 'LpPool', 'MaxPool'),
  ...rulesOf({ infer: inferGlobalPool }, 'GlobalAveragePool', 'GlobalLpPool', 'GlobalMaxPool'),

  ...rulesOf(likeFirstInput, 'Abs', 'Ceil', 'Clip', 'Dropout', 'Elu', 'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid'),
  ...rulesOf(likeFirstInput, 'HardSwish', 'InstanceNormalization', 'LRN', 'LeakyRelu', 'Log', 'LogSoftmax', 'Mish'),
  ...rulesOf(likeFirstInput, 'Neg', 'Not', 'Reciprocal', 'Relu', 'Selu', 'Sigmoid', 'Sin', 'Cos', 'Softmax'),
  ...rulesOf(likeFirstInput, 'Softplus', 'Softsign', 'Sqrt', 'Tanh', 'QuantizeLinear', 'DequantizeLinear'),
  // Their further outputs (statistics) have shapes of their own and are not followed.
  ...rulesOf(
    { infer: ({ inputs: [first] }) => first && [{ shape: first.shape }] },
    'BatchNormalization',
    'LayerNormalization',
  ),
  // The integers, their scale and their zero point.
  DynamicQuantizeLinear: {
    infer: ({ inputs: [first] }) => first && [{ shape: first.shape }, { shape: [] }, { shape: [] }],
  },
  Cast: cast,
  Identity: identity,

  ...rulesOf(broadcasting(), 'And', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Max', 'Mean', 'Min'),
  ...rulesOf(broadcasting(), 'Or', 'PRelu', 'Pow', 'Sum', 'Where', 'Xor'),
  Add: broadcasting((left, right) => left + right),
  Sub: broadcasting((left, right) => left - right),
  Mul: broadcasting((left, right) => left * right),
  // Integers divide towards zero.
  Div: broadcasting((left, right) => Math.trunc(left / right)),

  Concat: { infer: inferConcat },
  Constant: { infer: inferConstant },
  ConstantOfShape: { infer: ({ inputs: [target] }) => target?.values && [{ shape: target.values }] },
  Expand: {
    infer: ({ inputs: [input, target] }) => {
      const shape = input && target?.values && broadcast([input.shape, target.values]);
      return shape && [{ shape }];
    },
  },
  Flatten: { infer: inferFlatten },
  Gather: { infer: inferGather },
  Pad: { infer: inferPad },
  ...rulesOf({ infer: inferReduce }, 'ReduceL1', 'ReduceL2', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd'),
  ...rulesOf({ infer: inferReduce }, 'ReduceSum', 'ReduceSumSquare'),
  Reshape: { infer: inferReshape },
  Shape: { infer: inferShapeOf },
  Slice: { infer: inferSlice },
  Split: { infer: inferSplit },
  Squeeze: { infer: inferSqueeze },
  Transpose: { infer: inferTranspose },
  Unsqueeze: { infer: inferUnsqueeze },
};
