import type { Choice } from './choice.ts';
import type { Expected } from './types.ts';

/** What is asked of the model "tiny", `sum = a + b` over float32 [n, 3], and its right answers, worked out apart from the server's own code. */
export interface SumRequest {
  readonly rows: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
}

const ODD_NUMBERS = [Number.NaN, Infinity, -Infinity, -0, 1e-45, 3.4e38];

/** @param isJson - whether only numbers that JSON has are drawn */
export function drawSum(choose: Choice, isJson: boolean): SumRequest {
  const rows = choose.of([1, 1, 2, 5, 40]);
  const draw = () => (!isJson && choose.chance(0.2) ? choose.of(ODD_NUMBERS) : choose.integer(-1000, 1000) / 8);
  const array = () => Float32Array.from({ length: rows * 3 }, draw);
  return { rows, a: array(), b: array() };
}

export function sumOf({ a, b }: Pick<SumRequest, 'a' | 'b'>): Float32Array {
  return a.map((value, index) => value + (b[index] as number));
}

/** biome-ignore lint/suspicious/noExplicitAny: a request that cases go on to spoil. */
export type JsonRequest = any;

export function jsonRequest({ rows, a, b }: SumRequest): JsonRequest {
  const input = (name: string, data: Float32Array) => ({ name, datatype: 'FP32', shape: [rows, 3], data: [...data] });
  return { inputs: [input('a', a), input('b', b)] };
}

/** JSON object and binary data of a request with both inputs as bytes. */
export function binaryRequest({ rows, a, b }: SumRequest): { json: JsonRequest; binary: Buffer } {
  const input = (name: string, data: Float32Array) => ({
    ...{ name, datatype: 'FP32', shape: [rows, 3] },
    parameters: { binary_data_size: data.byteLength },
  });
  return {
    json: { inputs: [input('a', a), input('b', b)], parameters: { binary_data_output: true } },
    binary: Buffer.concat([bytesOf(a), bytesOf(b)]),
  };
}

export function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** A success must be this sum, as JSON or as bytes. */
export function isSum(request: Pick<SumRequest, 'a' | 'b'>, id?: string): NonNullable<Expected['answer']> {
  const right = sumOf(request);
  return (body, headers) => {
    const length = Number(headers['inference-header-content-length'] ?? body.length);
    try {
      const json = JSON.parse(body.toString('utf8', 0, length));
      if (json.id !== id) return `answered with another id: ${String(json.id).slice(0, 40)}`;
      const [output] = json.outputs;
      const values: Float32Array =
        output.data === undefined
          ? new Float32Array(new Uint8Array(body.subarray(length)).buffer)
          : Float32Array.from(output.data, Number);
      return sameNumbers(values, right) ? undefined : `answered with another sum: ${[...values].slice(0, 6)}`;
    } catch (error) {
      return `answered with what cannot be read: ${error}`;
    }
  };
}

export function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  // NaN is any NaN, and zero either zero: JSON, protobuf and the sum itself keep that much.
  const isSame = (x: number, y: number) => x === y || (Number.isNaN(x) && Number.isNaN(y));
  return a.length === b.length && a.every((value, index) => isSame(value, b[index] as number));
}

/** A success of bytes that were mangled must follow from what they still say; any answer is held to that. */
export function isSumOfText(text: string): NonNullable<Expected['answer']> {
  return (body, headers) => {
    try {
      const { inputs, id } = JSON.parse(text);
      const byName = Object.fromEntries(inputs.map((input: JsonRequest) => [input.name, input]));
      const values = (name: string) => Float32Array.from(byName[name].data.flat(Infinity), Number);
      return isSum({ a: values('a'), b: values('b') }, id)(body, headers);
    } catch (error) {
      return `answered, though the request is none: ${error}`;
    }
  };
}
