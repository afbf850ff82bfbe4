import { intAttribute, intsAttribute, textAttribute } from '../inference/operator.ts';
import type { NodeProto } from '../onnx-schema.ts';
import { floatAttribute, isOperator } from '../rewrite/attributes.ts';

/** What a rule sees of a run, for one item. */
export interface RuleContext {
  readonly valueOf: (name: string) => ArrayLike<number>;
  /** Sizes of a value, the batch first. */
  readonly shapeOf: (name: string) => readonly number[];
  /** Elements of a weight; undefined for what is none. */
  readonly weightsOf: (name: string | undefined) => Float32Array | undefined;
  readonly weightDimsOf: (name: string | undefined) => readonly number[];
  readonly slopes: SlopeTable;
}

/** Slopes of the model's output over the values of one item. */
export interface SlopeTable {
  /** Elements of the model's output: the width of a row. */
  readonly width: number;
  /** Elements of a value x width, row-major; undefined where they are not asked for. */
  readonly of: (name: string) => Float64Array | undefined;
}

type Rule = (node: NodeProto, context: RuleContext) => void;

/** How slopes go from a node's output to its inputs, by operator: the chain rule for each. */
const rules: Readonly<Record<string, Rule>> = {
  Conv: throughConvolution,
  Gemm: throughProduct,
  Relu: (node, context) => through(node, context, (value) => (value > 0 ? 1 : 0)),
  Clip: (node, context) => {
    const [low = -Infinity, high = Infinity] = [1, 2].map((at) => context.weightsOf(node.input[at])?.[0]);
    through(node, context, (value) => (value > low && value < high ? 1 : 0));
  },
  Add: (node, context) => {
    for (const input of variables(node, context)) through({ ...node, input: [input] }, context, () => 1);
  },
  Flatten: (node, context) => through(node, context, () => 1),
  Reshape: (node, context) => through(node, context, () => 1),
  GlobalAveragePool: (node, context) => {
    const [input = ''] = node.input;
    const pass = passing(node, input, context);
    const count = context.valueOf(input).length;
    const places = count / context.valueOf(node.output[0] ?? '').length;
    for (let at = 0; at < count; at++) pass(at, Math.floor(at / places), 1 / places);
  },
  MaxPool: throughMaximum,
  BatchNormalization: (node, context) => {
    const [input = '', ...names] = node.input;
    const [scale, , , variance] = names.map(context.weightsOf);
    const epsilon = floatAttribute(node, 'epsilon', 1e-5);
    const places = context.valueOf(input).length / (scale?.length ?? 1);
    through(node, context, (_, at) => {
      const channel = Math.floor(at / places);
      return (scale?.[channel] ?? 0) / Math.sqrt((variance?.[channel] ?? 0) + epsilon);
    });
  },
  Concat: (node, context) => {
    let first = 0;
    for (const input of node.input) {
      const pass = passing(node, input, context);
      const count = context.valueOf(input).length;
      for (let at = 0; at < count; at++) pass(at, first + at, 1);
      first += count;
    }
  },
};

/** Takes the slopes of a node's output on to its inputs. */
export function applyRule(node: NodeProto, context: RuleContext): void {
  rules[node.opType ?? '']?.(node, context);
}

/** Whether a node is one that a rule covers, in the form that it covers. */
export function hasRule(node: NodeProto, context: Omit<RuleContext, 'slopes'>): boolean {
  const { shapeOf } = context;
  if (!isOperator(node, ...Object.keys(rules)) || node.output.length !== 1) return false;
  const inputs = variables(node, context);
  const isPlanar = shapeOf(inputs[0] ?? '').length === 4 && textAttribute(node, 'auto_pad', 'NOTSET') === 'NOTSET';
  switch (node.opType) {
    case 'Conv':
      return isPlanar && inputs.length === 1;
    case 'MaxPool':
      return isPlanar && intAttribute(node, 'ceil_mode', 0) === 0;
    case 'Gemm':
      return inputs.length === 1 && intAttribute(node, 'transA', 0) === 0 && floatAttribute(node, 'alpha', 1) === 1;
    case 'Add':
      return inputs.every((name) => `${shapeOf(name)}` === `${shapeOf(node.output[0] ?? '')}`);
    case 'Concat':
      return intAttribute(node, 'axis', 0) === 1 && inputs.length === node.input.length;
    default:
      return inputs.length === 1;
  }
}

function variables(node: NodeProto, { weightsOf }: Pick<RuleContext, 'weightsOf'>): string[] {
  return node.input.filter((name) => name !== '' && weightsOf(name) === undefined);
}

/** Adds a multiple of the slopes of an element of a node's output to those of an element of one of its inputs. */
type Pass = (at: number, from: number, factor: number) => void;

function passing(node: NodeProto, input: string, { slopes: { width, of } }: RuleContext): Pass {
  const [to, given] = [of(input), of(node.output[0] ?? '')];
  if (to === undefined || given === undefined) return () => {};
  return (at, from, factor) => {
    const [first, source] = [at * width, from * width];
    for (let k = 0; k < width; k++) to[first + k] = (to[first + k] as number) + factor * (given[source + k] as number);
  };
}

/** For operators that take each element by itself. */
function through(node: NodeProto, context: RuleContext, slopeOf: (value: number, at: number) => number): void {
  const [input = ''] = node.input;
  const values = context.valueOf(input);
  const pass = passing(node, input, context);
  for (let at = 0; at < values.length; at++) {
    const slope = slopeOf(values[at] as number, at);
    if (slope !== 0) pass(at, at, slope);
  }
}

function throughProduct(node: NodeProto, context: RuleContext): void {
  const [input = '', weightName] = node.input;
  const weights = context.weightsOf(weightName) ?? new Float32Array();
  const pass = passing(node, input, context);
  const count = context.valueOf(input).length;
  const outputs = context.valueOf(node.output[0] ?? '').length;
  const isRow = intAttribute(node, 'transB', 0) === 1;
  for (let from = 0; from < outputs; from++) {
    for (let at = 0; at < count; at++)
      pass(at, from, weights[isRow ? from * count + at : at * outputs + from] as number);
  }
}

/** Calls back for each place of the output and each place of its window that lies inside the input: rows and columns as one number. */
function eachWindow(
  node: NodeProto,
  kernel: readonly number[],
  { shapeOf }: RuleContext,
  visit: (place: number, tap: number, from: number) => void,
): void {
  const [, , rows = 0, columns = 0] = shapeOf(node.input[0] ?? '');
  const [, , outputRows = 0, outputColumns = 0] = shapeOf(node.output[0] ?? '');
  const [kernelRows = 0, kernelColumns = 0] = kernel;
  const [strideRows = 1, strideColumns = 1] = intsAttribute(node, 'strides') ?? [];
  const [stepRows = 1, stepColumns = 1] = intsAttribute(node, 'dilations') ?? [];
  const [padTop = 0, padLeft = 0] = intsAttribute(node, 'pads') ?? [];
  for (let place = 0; place < outputRows * outputColumns; place++) {
    const top = Math.floor(place / outputColumns) * strideRows - padTop;
    const left = (place % outputColumns) * strideColumns - padLeft;
    for (let tap = 0; tap < kernelRows * kernelColumns; tap++) {
      const row = top + Math.floor(tap / kernelColumns) * stepRows;
      const column = left + (tap % kernelColumns) * stepColumns;
      const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
      if (isInside) visit(place, tap, row * columns + column);
    }
  }
}

function throughConvolution(node: NodeProto, context: RuleContext): void {
  const [input = '', weightName] = node.input;
  const [output = ''] = node.output;
  const weights = context.weightsOf(weightName) ?? new Float32Array();
  const [filters = 0, perGroup = 0, ...kernel] = context.weightDimsOf(weightName);
  const taps = kernel.reduce((count, size) => count * size, 1);
  const perFilterGroup = filters / intAttribute(node, 'group', 1);
  const inputPlaces = context.valueOf(input).length / (context.shapeOf(input)[1] ?? 1);
  const outputPlaces = context.valueOf(output).length / filters;
  const pass = passing(node, input, context);
  const isFlat = flatElements(context.slopes, output);
  eachWindow(node, kernel, context, (place, tap, from) => {
    for (let filter = 0; filter < filters; filter++) {
      const element = filter * outputPlaces + place;
      if (isFlat[element] === 1) continue;
      const first = Math.floor(filter / perFilterGroup) * perGroup;
      for (let channel = 0; channel < perGroup; channel++) {
        const weight = weights[(filter * perGroup + channel) * taps + tap] as number;
        pass((first + channel) * inputPlaces + from, element, weight);
      }
    }
  });
}

/** 1 for each element of a value whose slopes are all 0: behind a ReLU about half. */
function flatElements({ width, of }: SlopeTable, name: string): Uint8Array {
  const slopes = of(name) ?? new Float64Array();
  const flat = new Uint8Array(slopes.length / width).fill(1);
  for (const [index, slope] of slopes.entries()) if (slope !== 0) flat[Math.floor(index / width)] = 0;
  return flat;
}

/** All of an output's slope goes to the first of the largest elements in its window. */
function throughMaximum(node: NodeProto, context: RuleContext): void {
  const [input = ''] = node.input;
  const [, channels = 0] = context.shapeOf(input);
  const values = context.valueOf(input);
  const inputPlaces = values.length / channels;
  const outputPlaces = context.valueOf(node.output[0] ?? '').length / channels;
  const largest = new Int32Array(channels * outputPlaces).fill(-1);
  eachWindow(node, intsAttribute(node, 'kernel_shape') ?? [], context, (place, _tap, from) => {
    for (let channel = 0; channel < channels; channel++) {
      const [element, at] = [channel * outputPlaces + place, channel * inputPlaces + from];
      const best = largest[element] as number;
      if (best < 0 || (values[at] as number) > (values[best] as number)) largest[element] = at;
    }
  });
  const pass = passing(node, input, context);
  for (const [element, at] of largest.entries()) pass(at, element, 1);
}
