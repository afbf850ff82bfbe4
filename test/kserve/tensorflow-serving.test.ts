import { describe, expect, test } from 'vitest';
import { REST_APIS } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';

const api = REST_APIS['tensorflow-serving'];
const tensor = (name: string, shape: number[], values: number[]): NamedTensor => ({
  ...{ name, shape, type: 'float32' },
  data: new Float32Array(values),
});
const encode = (...tensors: NamedTensor[]) => JSON.parse(Buffer.from(api.encode('rest-json', tensors).body).toString());
const decode = (text: string) => api.decode({}, new Uint8Array(Buffer.from(text)));

describe("TensorFlow Serving's predict", () => {
  test('nests a tensor as its shape says, and sends a single one without its name', () => {
    expect(encode(tensor('x', [2, 1, 2], [1, 2, 3, 4.5]))).toEqual({ inputs: [[[1, 2]], [[3, 4.5]]] });
  });

  test('sends several tensors by name', () => {
    expect(encode(tensor('a', [1, 2], [1, 2]), tensor('b', [2], [3, 4]))).toEqual({
      inputs: { a: [[1, 2]], b: [3, 4] },
    });
  });

  test('reads a single output, and several by name', () => {
    expect(decode('{"outputs": [[0.25, 0.75], [1, 0]]}')).toEqual([
      { name: '', type: 'float64', shape: [2, 2], data: new Float64Array([0.25, 0.75, 1, 0]) },
    ]);
    expect(decode('{"outputs": {"p": [1], "label": ["cat"]}}')).toEqual([
      { name: 'p', type: 'float64', shape: [1], data: new Float64Array([1]) },
      { name: 'label', type: 'string', shape: [1], data: ['cat'] },
    ]);
  });

  test.each([
    ['{"predictions": [1]}', 'the answer has undefined as its outputs'],
    ['{"outputs": [[1, 2], [3]]}', 'nested data with 1 entries along axis 1'],
    ['{"outputs": [NaN]}', 'the answer is not JSON'],
  ])("refuses %s as the server's fault", (text, message) => {
    expect(() => decode(text)).toThrow(message);
  });
});
