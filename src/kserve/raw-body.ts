import type { NamedTensor, TensorSpec } from '../models/types.ts';
import { decodeBinaryTensor } from './binary-tensor.ts';
import { writeShape } from './check-inputs.ts';
import { wireTypeOf } from './datatypes.ts';
import { KserveError, quote } from './kserve-error.ts';

/**
 * The tensor of a body that is nothing but its bytes: what a client sends with `Inference-Header-Content-Length: 0`.
 *
 * Such a body says neither name nor shape, so the model must have one input and the number of bytes must leave one shape. An open dimension takes what the others leave; where
 * several are open the first, by custom the batch, is 1. A BYTES input takes the whole body as one string.
 * Source: Triton Inference Server, "Binary Tensor Data Extension", raw binary request.
 * @throws KserveError with status 400 where no shape, or more than one, fits
 */
export function decodeRawBody(body: Uint8Array<ArrayBuffer>, inputs: readonly TensorSpec[]): NamedTensor {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw new KserveError(
      400,
      `a body without a JSON object can only be the one input of a model, but this model has ${inputs.length}`,
    );
  }
  const { name, type } = input;
  const label = `input ${quote(name)}`;
  if (type === 'string') return { name, type, shape: fillShape(input, 1), data: [decodeText(body, label)] };
  const { elementBytes } = wireTypeOf(type);
  const count = body.byteLength / elementBytes;
  const shape = fillShape(input, count);
  return { name, type, shape, data: decodeBinaryTensor(type, Math.floor(count), body, label) };
}

function fillShape({ name, shape }: TensorSpec, count: number): readonly number[] {
  const open = shape.filter((dim) => typeof dim === 'string').length;
  const fixed = shape.map((dim, axis) => (axis === 0 && open > 1 && typeof dim === 'string' ? 1 : dim));
  const known = fixed.reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : product), 1);
  const isOpen = fixed.filter((dim) => typeof dim === 'string').length;
  const rest = count / known;
  const fits = isOpen === 0 ? rest === 1 : isOpen === 1 && Number.isInteger(rest) && rest > 0;
  if (fits) return fixed.map((dim) => (typeof dim === 'number' ? dim : rest));
  throw new KserveError(
    400,
    `a body of ${count} elements does not settle the shape of input ${quote(name)}, which is ${writeShape(shape)}; send a JSON object that gives it`,
  );
}

function decodeText(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KserveError(400, `${label} is not UTF-8 text`);
  }
}
