import { type Inferred, intAttribute, intsAttribute, type Operator, product, textAttribute } from './operator.ts';

/** Rows and columns that an operator sliding a kernel over [batch, channels, ...spatial] leaves. */
function slideKernel({ node }: Operator, spatial: readonly number[], kernel: readonly number[]): number[] {
  const rank = spatial.length;
  const strides = intsAttribute(node, 'strides') ?? [];
  const dilations = intsAttribute(node, 'dilations') ?? [];
  const pads = intsAttribute(node, 'pads') ?? [];
  const autoPad = textAttribute(node, 'auto_pad', 'NOTSET');
  const isCeil = intAttribute(node, 'ceil_mode', 0) === 1;
  return spatial.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') return Math.ceil(size / stride);
    const reach = (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1;
    const before = autoPad === 'VALID' ? 0 : (pads[axis] ?? 0);
    const after = autoPad === 'VALID' ? 0 : (pads[axis + rank] ?? 0);
    const steps = (size + before + after - reach) / stride;
    if (!isCeil) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    // A window that would start in the padding after the image is left out.
    return (count - 1) * stride >= size + before ? count - 1 : count;
  });
}

/** Conv and its integer forms; `weightIndex` is the input that holds the kernels [out, in / groups, ...kernel]. */
export function inferConv(operator: Operator, weightIndex: number): Inferred[] | undefined {
  const [image, weight] = [operator.inputs[0], operator.inputs[weightIndex]];
  if (image === undefined || weight === undefined || image.shape.length !== weight.shape.length) return undefined;
  const [batch = 0, , ...spatial] = image.shape;
  const [channels = 0, , ...kernel] = weight.shape;
  return [{ shape: [batch, channels, ...slideKernel(operator, spatial, kernel)] }];
}

/** Each output element sums over the kernels' inputs once. */
export function convMacs(operator: Operator, outputs: readonly (Inferred | undefined)[], weightIndex: number) {
  const [output, weight] = [outputs[0], operator.inputs[weightIndex]];
  return output && weight && product(output.shape) * product(weight.shape.slice(1));
}

export function inferPool(operator: Operator): (Inferred | undefined)[] | undefined {
  const kernel = intsAttribute(operator.node, 'kernel_shape');
  const image = operator.inputs[0];
  if (image === undefined || kernel === undefined) return undefined;
  const [batch = 0, channels = 0, ...spatial] = image.shape;
  const pooled = { shape: [batch, channels, ...slideKernel(operator, spatial, kernel)] };
  return operator.node.output.map(() => pooled);
}

export function inferGlobalPool({ inputs }: Operator): Inferred[] | undefined {
  return inputs[0] && [{ shape: inputs[0].shape.map((size, axis) => (axis < 2 ? size : 1)) }];
}

/** Each input element is multiplied into one kernel for every output channel of its group. */
export function convTransposeMacs({ inputs: [image, weight] }: Operator): number | undefined {
  return image && weight && product(image.shape) * product(weight.shape.slice(1));
}

export function inferConvTranspose(operator: Operator): Inferred[] | undefined {
  const { node, inputs } = operator;
  const [image, weight] = inputs;
  // Automatic padding and a wanted output shape are rare and have rules of their own.
  const isPlain = textAttribute(node, 'auto_pad', 'NOTSET') === 'NOTSET' && !intsAttribute(node, 'output_shape');
  if (image === undefined || weight === undefined || !isPlain) return undefined;
  const [batch = 0, , ...spatial] = image.shape;
  const [, perGroup = 0, ...kernel] = weight.shape;
  const [strides, dilations, pads, extra] = ['strides', 'dilations', 'pads', 'output_padding'].map(
    (name) => intsAttribute(node, name) ?? [],
  );
  const sizes = spatial.map((size, axis) => {
    const reach = (dilations?.[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1;
    const padding = (pads?.[axis] ?? 0) + (pads?.[axis + spatial.length] ?? 0);
    return (strides?.[axis] ?? 1) * (size - 1) + (extra?.[axis] ?? 0) + reach - padding;
  });
  return [{ shape: [batch, perGroup * intAttribute(node, 'group', 1), ...sizes] }];
}
