import { type Inferred, intAttribute, intsAttribute, type Operator, positiveAxis, product } from './operator.ts';

/** Axes given as an attribute, as old operator sets do, or as the known elements of an input. */
function axesOf({ node, inputs }: Operator, inputIndex = 1): readonly number[] | undefined {
  return intsAttribute(node, 'axes') ?? inputs[inputIndex]?.values;
}

export function inferFlatten({ node, inputs: [input] }: Operator): Inferred[] | undefined {
  if (input === undefined) return undefined;
  const axis = positiveAxis(intAttribute(node, 'axis', 1), input.shape.length);
  return [{ shape: [product(input.shape.slice(0, axis)), product(input.shape.slice(axis))] }];
}

/** A size of 0 keeps the input's, one -1 takes what is left. */
export function inferReshape({ node, inputs: [input, target] }: Operator): Inferred[] | undefined {
  if (input === undefined || target?.values === undefined) return undefined;
  const keepsZero = intAttribute(node, 'allowzero', 0) === 1;
  const sizes = target.values.map((size, axis) => (size === 0 && !keepsZero ? (input.shape[axis] ?? 0) : size));
  const known = product(sizes.filter((size) => size !== -1));
  const shape = sizes.map((size) => (size === -1 ? product(input.shape) / known : size));
  return product(shape) === product(input.shape) ? [{ shape, values: input.values }] : undefined;
}

export function inferTranspose({ node, inputs: [input] }: Operator): Inferred[] | undefined {
  if (input === undefined) return undefined;
  const order = intsAttribute(node, 'perm') ?? input.shape.map((_, axis) => input.shape.length - 1 - axis);
  return [{ shape: order.map((axis) => input.shape[axis] ?? 0) }];
}

export function inferConcat({ node, inputs }: Operator): Inferred[] | undefined {
  const parts = inputs.filter((input) => input !== undefined);
  const [first] = parts;
  if (first === undefined || parts.length < inputs.length) return undefined;
  const axis = positiveAxis(intAttribute(node, 'axis', 0), first.shape.length);
  const total = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
  const values = parts.flatMap((part) => part.values ?? []);
  const areAllKnown = first.shape.length === 1 && parts.every((part) => part.values !== undefined);
  return [{ shape: first.shape.with(axis, total), values: areAllKnown ? values : undefined }];
}

export function inferUnsqueeze(operator: Operator): Inferred[] | undefined {
  const [input] = operator.inputs;
  const axes = axesOf(operator);
  if (input === undefined || axes === undefined) return undefined;
  const rank = input.shape.length + axes.length;
  const added = new Set(axes.map((axis) => positiveAxis(axis, rank)));
  const rest = input.shape.values();
  const shape = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.next().value ?? 1)));
  return [{ shape, values: input.values }];
}

export function inferSqueeze(operator: Operator): Inferred[] | undefined {
  const [input] = operator.inputs;
  if (input === undefined) return undefined;
  const isNamed = operator.node.attribute.some(({ name }) => name === 'axes') || operator.inputs.length > 1;
  const axes = axesOf(operator)?.map((axis) => positiveAxis(axis, input.shape.length));
  if (isNamed && axes === undefined) return undefined;
  const shape = input.shape.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis)));
  return [{ shape, values: input.values }];
}

export function inferShapeOf({ node, inputs: [input] }: Operator): Inferred[] | undefined {
  if (input === undefined) return undefined;
  const values = input.shape.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end', input.shape.length));
  return [{ shape: [values.length], values }];
}

export function inferGather({ node, inputs: [input, indices] }: Operator): Inferred[] | undefined {
  if (input === undefined || indices === undefined) return undefined;
  const axis = positiveAxis(intAttribute(node, 'axis', 0), input.shape.length);
  const shape = [...input.shape.slice(0, axis), ...indices.shape, ...input.shape.slice(axis + 1)];
  const picked = indices.values?.map((index) => input.values?.at(index));
  const areAllKnown = input.shape.length === 1 && picked?.every((value) => value !== undefined);
  return [{ shape, values: areAllKnown ? (picked as number[]) : undefined }];
}

export function inferSlice(operator: Operator): Inferred[] | undefined {
  const { node, inputs } = operator;
  const [input] = inputs;
  const starts = intsAttribute(node, 'starts') ?? inputs[1]?.values;
  const ends = intsAttribute(node, 'ends') ?? inputs[2]?.values;
  if (input === undefined || starts === undefined || ends === undefined) return undefined;
  const hasAxes = node.attribute.some(({ name }) => name === 'axes') || Boolean(node.input[3]);
  const axes = hasAxes ? axesOf(operator, 3) : starts.map((_, index) => index);
  const steps = node.input[4] ? inputs[4]?.values : starts.map(() => 1);
  if (axes === undefined || steps === undefined) return undefined;
  let { shape, values } = input;
  for (const [index, rawAxis] of axes.entries()) {
    const axis = positiveAxis(rawAxis, shape.length);
    const picked = sliceAxis(shape[axis] ?? 0, starts[index] ?? 0, ends[index] ?? 0, steps[index] ?? 1);
    if (picked === undefined) return undefined;
    const { first, step, count } = picked;
    values =
      shape.length === 1
        ? values && Array.from({ length: count }, (_, at) => values?.[first + at * step] ?? 0)
        : undefined;
    shape = shape.with(axis, count);
  }
  return [{ shape, values }];
}

/** What a slice picks from `size` elements, its bounds clamped as numpy does. */
function sliceAxis(size: number, start: number, end: number, step: number) {
  if (step === 0) return undefined;
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const from = (value: number) => (value < 0 ? value + size : value);
  const first = step > 0 ? clamp(from(start), 0, size) : clamp(from(start), 0, size - 1);
  const last = step > 0 ? clamp(from(end), 0, size) : clamp(from(end), -1, size - 1);
  return { first, step, count: Math.max(0, Math.ceil((last - first) / step)) };
}

export function inferSplit({ node, inputs }: Operator): Inferred[] | undefined {
  const [input] = inputs;
  if (input === undefined) return undefined;
  const axis = positiveAxis(intAttribute(node, 'axis', 0), input.shape.length);
  const size = input.shape[axis] ?? 0;
  const count = node.output.length;
  const isGiven = node.attribute.some(({ name }) => name === 'split') || Boolean(node.input[1]);
  const chunk = Math.ceil(size / count);
  const equal = node.output.map((_, index) => (index < count - 1 ? chunk : size - chunk * (count - 1)));
  const sizes = isGiven ? (intsAttribute(node, 'split') ?? inputs[1]?.values) : equal;
  return sizes?.map((part) => ({ shape: input.shape.with(axis, part) }));
}

export function inferPad({ node, inputs }: Operator): Inferred[] | undefined {
  const [input] = inputs;
  const pads = intsAttribute(node, 'pads') ?? inputs[1]?.values;
  // Axes of their own came with operator set 18.
  if (input === undefined || pads === undefined || node.input[3]) return undefined;
  const rank = input.shape.length;
  return [{ shape: input.shape.map((size, axis) => size + (pads[axis] ?? 0) + (pads[axis + rank] ?? 0)) }];
}

export function inferReduce(operator: Operator): Inferred[] | undefined {
  const { node, inputs } = operator;
  const [input] = inputs;
  if (input === undefined) return undefined;
  const isNamed = node.attribute.some(({ name }) => name === 'axes') || Boolean(node.input[1]);
  const given = axesOf(operator)?.map((axis) => positiveAxis(axis, input.shape.length));
  if (isNamed && given === undefined) return undefined;
  const isEmpty = given === undefined || given.length === 0;
  if (isEmpty && intAttribute(node, 'noop_with_empty_axes', 0) === 1) return [{ shape: input.shape }];
  const axes = isEmpty ? [...input.shape.keys()] : given;
  const kept = input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const keepsDims = intAttribute(node, 'keepdims', 1) === 1;
  return [{ shape: keepsDims ? kept : kept.filter((_, axis) => !axes.includes(axis)) }];
}
