import { createMessage, onnxDataTypes, type TensorProto } from '../onnx-schema.ts';
import { EXTERNAL } from '../tensors.ts';

/** Element arrays that a tensor can be made from, by element type. */
interface ArrayOf {
  readonly float32: Float32Array;
  readonly float16: Uint16Array;
  readonly uint8: Uint8Array;
  readonly int8: Int8Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
}

/** Whether `floatsOf` can give the elements. */
export function holdsFloats(tensor: TensorProto | undefined): tensor is TensorProto {
  return tensor?.dataType === onnxDataTypes.float32 && tensor.dataLocation !== EXTERNAL;
}

/** The elements of a float32 tensor as an array of their own; undefined for a tensor of another type, or one whose bytes stand in another file. */
export function floatsOf(tensor: TensorProto | undefined): Float32Array | undefined {
  if (!holdsFloats(tensor)) return undefined;
  if (tensor.rawData === undefined) return Float32Array.from(tensor.floatData);
  // A copy, because the bytes lie in the file at any offset and a Float32Array needs one that is a multiple of 4.
  return new Float32Array(new Uint8Array(tensor.rawData).buffer);
}

/** A tensor of the given elements, row-major. */
export function tensorOf<T extends keyof ArrayOf>(
  name: string,
  type: T,
  dims: readonly number[],
  values: ArrayOf[T],
): TensorProto {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createMessage('TensorProto', { name, dims: [...dims], dataType: onnxDataTypes[type], rawData });
}
