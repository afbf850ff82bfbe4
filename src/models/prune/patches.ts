import { intAttribute, intsAttribute, textAttribute } from '../inference/operator.ts';
import type { NodeProto } from '../onnx-schema.ts';
import { isOperator } from '../rewrite/attributes.ts';
import type { NamedTensor } from '../types.ts';

/** How a node's outputs depend on its inputs: each is a dot product of a filter with a patch. */
export interface PatchReader {
  /** Elements of a patch: the inputs of a filter. */
  readonly size: number;
  /**
   * Writes the patch that the output at an item and a place (counted over its rows and columns) depends on.
   *
   * @param group - the filters' group, from 0: in a depthwise convolution, the channel
   */
  readonly read: (
    input: NamedTensor,
    item: number,
    place: number,
    output: NamedTensor,
    into: Float64Array,
    group?: number,
  ) => void;
}

/** Undefined for a node whose patches are not plain: automatic padding, other than two spatial dimensions. */
export function patchReader(node: NodeProto, weightDims: readonly number[]): PatchReader | undefined {
  if (isOperator(node, 'Gemm')) {
    const size = weightDims[intAttribute(node, 'transB', 0) === 1 ? 1 : 0] ?? 0;
    return {
      size,
      read: ({ data }, item, _place, _output, into) => {
        for (let index = 0; index < size; index++) into[index] = Number(data[item * size + index]);
      },
    };
  }
  const [, channels = 0, kernelRows = 0, kernelColumns = 0] = weightDims;
  if (weightDims.length !== 4 || textAttribute(node, 'auto_pad', 'NOTSET') !== 'NOTSET') return undefined;
  const [strideRows = 1, strideColumns = 1] = intsAttribute(node, 'strides') ?? [];
  const [stepRows = 1, stepColumns = 1] = intsAttribute(node, 'dilations') ?? [];
  const [padTop = 0, padLeft = 0] = intsAttribute(node, 'pads') ?? [];
  return {
    size: channels * kernelRows * kernelColumns,
    read: (input, item, place, output, into, group = 0) => {
      const [, inputChannels = 0, rows = 0, columns = 0] = input.shape;
      const outputColumns = output.shape[3] ?? 1;
      const top = Math.floor(place / outputColumns) * strideRows - padTop;
      const left = (place % outputColumns) * strideColumns - padLeft;
      let at = 0;
      for (let channel = 0; channel < channels; channel++) {
        const start = (item * inputChannels + group * channels + channel) * rows;
        for (let y = 0; y < kernelRows; y++) {
          const row = top + y * stepRows;
          for (let x = 0; x < kernelColumns; x++) {
            const column = left + x * stepColumns;
            const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
            into[at++] = isInside ? Number(input.data[(start + row) * columns + column]) : 0;
          }
        }
      }
    },
  };
}
