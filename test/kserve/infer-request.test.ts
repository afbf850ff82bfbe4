import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeInferRequest, encodeInferRequest, KserveError, type ModelSignature } from '../../src/kserve/index.ts';
import type { NamedTensor, TensorSpec } from '../../src/models/types.ts';
import { anyTensors } from './arbitraries.ts';

function spec(name: string, type: TensorSpec['type'], shape: TensorSpec['shape']): TensorSpec {
  return { name, type, shape };
}

function signatureOf(tensors: readonly NamedTensor[]): ModelSignature {
  return {
    inputs: tensors.map(({ name, type, shape }) => ({ name, type, shape })),
    outputs: [spec('y', 'float32', [])],
  };
}

function jsonBody(value: unknown): Uint8Array<ArrayBuffer> {
  return bytesOf(typeof value === 'string' ? value : JSON.stringify(value));
}

function bytesOf(text: string | Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text as string));
}

function decodeJson(value: unknown, model: ModelSignature) {
  return decodeInferRequest({}, jsonBody(value), model);
}

describe('requests that are encoded and decoded again', () => {
  it.each(['rest-json', 'rest-binary'] as const)('are the same tensors in %s, whatever they hold', (protocol) => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        const { headers, body } = encodeInferRequest(protocol, tensors, { id: '42' });
        const request = decodeInferRequest(headers, body, signatureOf(tensors));
        expect(request.tensors).toEqual(tensors);
        expect(request.id).toBe('42');
        expect(request).toMatchObject({
          outputs: ['y'],
          binaryOutputs: new Set(protocol === 'rest-binary' ? ['y'] : []),
        });
        expect(headers['content-length']).toBe(String(body.byteLength));
      }),
      { numRuns: 500 },
    );
  });

  it('may have optional members that are null, as clients made from a schema write them', () => {
    const tensor: NamedTensor = { name: 'x', type: 'float32', shape: [2], data: Float32Array.of(1, 2) };
    const input = { name: 'x', shape: [2], datatype: 'FP32', parameters: null, data: [1, 2] };
    const request = decodeJson({ id: null, parameters: null, inputs: [input], outputs: null }, signatureOf([tensor]));
    expect(request).toMatchObject({ id: undefined, parameters: {}, tensors: [tensor], outputs: ['y'] });
  });

  it('are decoded from binary data without a copy, wherever the data start', () => {
    const tensor: NamedTensor = { name: 'x', type: 'float32', shape: [2], data: Float32Array.of(1, 2) };
    const { headers, body } = encodeInferRequest('rest-binary', [tensor]);
    const [aligned] = decodeInferRequest(headers, body, signatureOf([tensor])).tensors;
    expect(aligned?.data).toHaveProperty('buffer', body.buffer);

    const shifted = new Uint8Array(body.byteLength + 1);
    shifted.set(body, 1);
    const [copied] = decodeInferRequest(headers, shifted.subarray(1), signatureOf([tensor])).tensors;
    expect(copied?.data).toHaveProperty('buffer.byteLength', 8);
    expect(copied).toEqual(tensor);
  });
});

describe('the example of the specification', () => {
  const model: ModelSignature = {
    inputs: [spec('input0', 'uint32', [2, 2]), spec('input1', 'bool', [3])],
    outputs: [spec('output0', 'float32', [3, 2]), spec('other', 'float32', [1])],
  };
  const input0 = { name: 'input0', type: 'uint32', shape: [2, 2], data: Uint32Array.of(1, 2, 3, 4) };
  const input1 = { name: 'input1', type: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) };

  it('is decoded, with nested data too', () => {
    for (const data of [
      [1, 2, 3, 4],
      [
        [1, 2],
        [3, 4],
      ],
    ]) {
      const request = decodeJson(
        {
          id: '42',
          inputs: [
            { name: 'input0', shape: [2, 2], datatype: 'UINT32', data },
            { name: 'input1', shape: [3], datatype: 'BOOL', data: [true, false, true] },
          ],
          outputs: [{ name: 'output0' }],
        },
        model,
      );
      expect(request).toEqual({
        id: '42',
        parameters: {},
        tensors: [input0, input1],
        outputs: ['output0'],
        binaryOutputs: new Set(),
      });
    }
  });

  it('is decoded where one input is binary and the other is not, and outputs are asked for each way', () => {
    const json = JSON.stringify({
      parameters: { binary_data_output: true },
      inputs: [
        { name: 'input1', shape: [3], datatype: 'BOOL', parameters: { binary_data_size: 3 } },
        { name: 'input0', shape: [2, 2], datatype: 'UINT32', data: [1, 2, 3, 4] },
      ],
      outputs: [{ name: 'output0', parameters: { binary_data: false } }, { name: 'other' }],
    });
    const body = bytesOf(Buffer.concat([Buffer.from(json), Buffer.of(1, 0, 1)]));
    const request = decodeInferRequest({ 'Inference-Header-Content-Length': String(json.length) }, body, model);
    expect(request.tensors).toEqual([input0, input1]);
    expect(request.outputs).toEqual(['output0', 'other']);
    expect(request.binaryOutputs).toEqual(new Set(['other']));
  });
});

describe('numbers in JSON', () => {
  const one = (type: TensorSpec['type']): ModelSignature => ({ inputs: [spec('x', type, ['n'])], outputs: [] });
  const decode = (datatype: string, type: TensorSpec['type'], data: string) =>
    decodeJson(`{"inputs":[{"name":"x","shape":[1],"datatype":"${datatype}","data":[${data}]}]}`, one(type)).tensors[0]
      ?.data;

  it('keep 64-bit integers exact that JSON.parse would round', () => {
    expect(decode('INT64', 'int64', '9223372036854775807')).toEqual(BigInt64Array.of(2n ** 63n - 1n));
    expect(decode('INT64', 'int64', '-9007199254740993')).toEqual(BigInt64Array.of(-9007199254740993n));
    expect(decode('UINT64', 'uint64', '18446744073709551615')).toEqual(BigUint64Array.of(2n ** 64n - 1n));
    expect(decode('INT64', 'int64', '"123"')).toEqual(BigInt64Array.of(123n));
  });

  it('may be non-finite floats, written as protobuf writes them', () => {
    expect(decode('FP32', 'float32', '"NaN"')).toEqual(Float32Array.of(Number.NaN));
    expect(decode('FP64', 'float64', '"-Infinity"')).toEqual(Float64Array.of(Number.NEGATIVE_INFINITY));
  });

  it.each([
    ['INT8', 'int8', '128'],
    ['INT8', 'int8', '1.5'],
    ['UINT8', 'uint8', '-1'],
    ['INT64', 'int64', '9223372036854775808'],
    ['INT64', 'int64', '1.5'],
    ['UINT64', 'uint64', '-1'],
    ['FP16', 'float16', '65520'],
    ['FP32', 'float32', '3.5e38'],
    ['FP64', 'float64', '1e400'],
    ['FP32', 'float32', 'null'],
    ['FP32', 'float32', '"1.5"'],
    ['FP32', 'float32', 'true'],
    ['BOOL', 'bool', '2'],
    ['BYTES', 'string', '1'],
  ] as const)('are refused where %s cannot hold the value (%s, %s)', (datatype, type, data) => {
    expect(() => decode(datatype, type, data)).toThrow(new RegExp(`as value 0, which is not a ${datatype} value`));
  });
});

describe('malformed requests', () => {
  const model: ModelSignature = {
    inputs: [spec('a', 'float32', ['n', 2]), spec('b', 'string', [1])],
    outputs: [spec('y', 'float32', ['n'])],
  };
  const a = { name: 'a', shape: [1, 2], datatype: 'FP32', data: [1, 2] };
  const b = { name: 'b', shape: [1], datatype: 'BYTES', data: ['x'] };
  const binary = (size: unknown) => ({ ...a, data: undefined, parameters: { binary_data_size: size } });

  it.each<[string, unknown, string]>([
    ['is not JSON', '{', 'the request is not JSON: '],
    ['is not an object', '[]', 'the request is JSON, but not a JSON object'],
    ['has NaN as JSON does not know it', '{"inputs":[NaN]}', 'the request is not JSON: '],
    ['has no inputs', {}, 'the request has undefined as its inputs, where an array is expected'],
    ['has an id that is no string', { id: 7, inputs: [a, b] }, 'the request has the id 7, where a string is expected'],
    [
      'has parameters that are no object',
      { parameters: [], inputs: [a, b] },
      'the request has [] as its parameters, where an object is expected',
    ],
    ['has an input that is no object', { inputs: [3] }, 'input 0 is 3, where an object is expected'],
    ['has an input without a name', { inputs: [{}] }, 'input 0 has undefined as its name, where a string is expected'],
    ['lacks an input', { inputs: [a] }, 'the request lacks the input "b"'],
    [
      'has an input too many',
      { inputs: [a, b, { ...a, name: 'c' }] },
      'the model has no input "c"; its inputs are "a", "b"',
    ],
    ['gives an input twice', { inputs: [a, a, b] }, 'input "a" is given twice'],
    [
      'has an unknown datatype',
      { inputs: [{ ...a, datatype: 'FLOAT' }, b] },
      'input "a" has the datatype "FLOAT", which is none of BOOL, UINT8',
    ],
    [
      'has another datatype than the model',
      { inputs: [{ ...a, datatype: 'INT32' }, b] },
      'input "a" has the datatype INT32, but the model takes FP32',
    ],
    [
      'has another rank than the model',
      { inputs: [{ ...a, shape: [2] }, b] },
      'input "a" has the shape [2], but the model takes [-1,2]',
    ],
    [
      'has another dimension than the model',
      { inputs: [{ ...a, shape: [1, 3] }, b] },
      'input "a" has the shape [1,3], but the model takes [-1,2]',
    ],
    [
      'has a negative dimension',
      { inputs: [{ ...a, shape: [-1, 2] }, b] },
      'input "a" has the shape [-1,2], where an array of whole numbers is expected',
    ],
    [
      'has a fractional dimension',
      { inputs: [{ ...a, shape: [0.5, 2] }, b] },
      'input "a" has the shape [0.5,2], where',
    ],
    [
      'has an absurd shape',
      { inputs: [{ ...a, shape: [2 ** 40, 2 ** 40] }, b] },
      'input "a" has the shape [1099511627776,1099511627776], which has too many elements',
    ],
    [
      'has a shape without end',
      { inputs: [{ ...a, shape: Array(100).fill(1) }, b] },
      'input "a" has the shape an array of 100 values, where',
    ],
    [
      'has fewer values than its shape makes',
      { inputs: [{ ...a, shape: [1e9, 2] }, b] },
      'input "a" has 2 values, but its shape [1000000000,2] makes 2000000000',
    ],
    [
      'has more values than its shape makes',
      { inputs: [{ ...a, data: [1, 2, 3] }, b] },
      'input "a" has 3 values, but its shape [1,2] makes 2',
    ],
    [
      'has data that are no array',
      { inputs: [{ ...a, data: 'zero' }, b] },
      'input "a" has "zero" as its data, where an array is expected',
    ],
    [
      'has ragged nested data',
      { inputs: [{ ...a, shape: [2, 2], data: [[1, 2], [3]] }, b] },
      'input "a" has nested data with 1 entries along axis 1, but its shape is [2,2]',
    ],
    [
      'has data nested too deeply',
      { inputs: [{ ...a, data: [[[1], [2]]] }, b] },
      'input "a" has nested data whose depth does not follow its shape [1,2]',
    ],
    [
      'mixes flat and nested data',
      { inputs: [{ ...a, data: [[1, 2], 3] }, b] },
      'input "a" has nested data with 2 entries along axis 0',
    ],
    [
      'has neither data nor a binary size',
      { inputs: [{ ...a, data: undefined }, b] },
      'input "a" has neither "data" nor the parameter "binary_data_size"',
    ],
    [
      'has both data and a binary size',
      { inputs: [{ ...a, parameters: { binary_data_size: 8 } }, b] },
      'input "a" has both "data" and the parameter "binary_data_size"',
    ],
    [
      'has a binary size that is no size',
      { inputs: [binary('8'), b] },
      'input "a" has the binary_data_size "8", where a number of bytes is expected',
    ],
    [
      'announces binary data that do not come',
      { inputs: [binary(8), b] },
      'the binary_data_size of all inputs add up to 8 bytes, but 0 bytes follow the JSON object',
    ],
    [
      'has outputs that are no array',
      { inputs: [a, b], outputs: {} },
      'the request has an object as its outputs, where an array is expected',
    ],
    [
      'asks for an output without a name',
      { inputs: [a, b], outputs: [{}] },
      'requested output 0 is not an object with a name',
    ],
    [
      'asks for an unknown output',
      { inputs: [a, b], outputs: [{ name: 'z' }] },
      'the model has no output "z"; its outputs are "y"',
    ],
    [
      'asks for an output twice',
      { inputs: [a, b], outputs: [{ name: 'y' }, { name: 'y' }] },
      'requested output "y" is asked for twice',
    ],
    [
      'asks for an output as classes, which Triton would give',
      { inputs: [a, b], outputs: [{ name: 'y', parameters: { classification: 3 } }] },
      'requested output "y" has the parameter "classification", an extension that this server does not have',
    ],
    [
      'asks for an output in shared memory',
      { inputs: [a, b], outputs: [{ name: 'y', parameters: { shared_memory_region: 'r' } }] },
      'requested output "y" has the parameter "shared_memory_region", an extension',
    ],
    [
      'has a flag that is neither true nor false',
      { inputs: [a, b], parameters: { binary_data_output: 1 } },
      'the request has 1 as its parameter "binary_data_output", where true or false is expected',
    ],
  ])('a request that %s', (_, request, message) => {
    const error = catchError(() => decodeJson(request, model));
    expect(error.status).toBe(400);
    expect(error.message.slice(0, message.length)).toBe(message);
  });

  const binaryCase = (inputs: unknown[], tail: readonly number[], length?: string) => {
    const json = JSON.stringify({ inputs });
    const headers = { 'inference-header-content-length': length ?? String(json.length) };
    return () => decodeInferRequest(headers, bytesOf(Buffer.concat([Buffer.from(json), Buffer.from(tail)])), model);
  };
  const binaryB = { name: 'b', shape: [1], datatype: 'BYTES' };

  it.each<[string, () => unknown, string]>([
    [
      'fewer bytes than the shape makes',
      binaryCase([binary(4), b], [1, 2, 3, 4]),
      'input "a" has 4 bytes of binary data, but its shape and datatype make 8',
    ],
    [
      'bytes left over',
      binaryCase([binary(8), b], Array(9).fill(0)),
      'the binary_data_size of all inputs add up to 8 bytes, but 9 bytes follow the JSON object',
    ],
    [
      'a header that is no number',
      binaryCase([a, b], [], '-1'),
      'the header Inference-Header-Content-Length is "-1", where a number of bytes is expected',
    ],
    [
      'a header beyond the body',
      binaryCase([a, b], [], '999999'),
      'the header Inference-Header-Content-Length is 999999, but the body has only ',
    ],
    [
      'a string cut short',
      binaryCase([a, { ...binaryB, parameters: { binary_data_size: 6 } }], [9, 0, 0, 0, 65, 66]),
      'input "b" ends in the middle of string 0',
    ],
    [
      'too few bytes for its strings',
      binaryCase([a, { ...binaryB, parameters: { binary_data_size: 2 } }], [9, 0]),
      'input "b" has 2 bytes of binary data, too few for 1 strings',
    ],
    [
      'bytes after its strings',
      binaryCase([a, { ...binaryB, parameters: { binary_data_size: 5 } }], [0, 0, 0, 0, 65]),
      'input "b" has 1 bytes left after its 1 strings',
    ],
    [
      'a string that is not UTF-8',
      binaryCase([a, { ...binaryB, parameters: { binary_data_size: 5 } }], [1, 0, 0, 0, 255]),
      'string 0 of input "b" is not UTF-8 text',
    ],
  ])('binary data with %s', (_, decode, message) => {
    const error = catchError(decode);
    expect(error.status).toBe(400);
    expect(error.message.slice(0, message.length)).toBe(message);
  });

  it('never fail in any other way, whatever bytes come', () => {
    const header = fc.option(fc.oneof(fc.nat({ max: 300 }).map(String), fc.string()), { nil: undefined });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytesOf)), header, (bytes, length) => {
        const headers = length === undefined ? {} : { 'inference-header-content-length': length };
        expect(catchError(() => decodeInferRequest(headers, bytes as Uint8Array<ArrayBuffer>, model)).status).toBe(400);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a body that is nothing but the bytes of the input', () => {
  const rawHeader = { 'inference-header-content-length': '0' };
  const decodeRaw = (inputs: readonly TensorSpec[], bytes: readonly number[]) =>
    decodeInferRequest(rawHeader, Uint8Array.from(bytes), { inputs, outputs: [spec('y', 'float32', [1])] });

  it.each<[TensorSpec['shape'], number, number[]]>([
    [[2, 3], 6, [2, 3]],
    [['n', 3], 6, [2, 3]],
    [[1, 'length'], 6, [1, 6]],
    [['n', 'length'], 6, [1, 6]],
    [['n', 2, 'length'], 6, [1, 2, 3]],
    [[], 1, []],
  ])('takes the shape that %j leaves for %i elements, and is answered in bytes', (shape, count, expected) => {
    const request = decodeRaw([spec('x', 'uint8', shape)], Array(count).fill(7));
    expect(request.tensors).toEqual([
      { name: 'x', type: 'uint8', shape: expected, data: new Uint8Array(count).fill(7) },
    ]);
    expect(request).toMatchObject({ outputs: ['y'], binaryOutputs: new Set(['y']) });
  });

  it('is one string of a BYTES input', () => {
    const { tensors } = decodeRaw([spec('x', 'string', ['n'])], [...Buffer.from('grün')]);
    expect(tensors).toEqual([{ name: 'x', type: 'string', shape: [1], data: ['grün'] }]);
  });

  it.each<[string, TensorSpec[], number, string]>([
    [
      'a model of two inputs',
      [spec('x', 'uint8', [1]), spec('z', 'uint8', [1])],
      1,
      'a body without a JSON object can only be the one input of a model, but this model has 2',
    ],
    [
      'another number of elements',
      [spec('x', 'uint8', ['n', 4])],
      6,
      'a body of 6 elements does not settle the shape of input "x", which is [-1,4]; send a JSON object that gives it',
    ],
    [
      'a part of an element',
      [spec('x', 'int32', ['n'])],
      6,
      'a body of 1.5 elements does not settle the shape of input "x"',
    ],
    [
      'several shapes',
      [spec('x', 'uint8', ['n', 'h', 'w'])],
      6,
      'a body of 6 elements does not settle the shape of input "x"',
    ],
  ])('is refused for %s', (_, inputs, count, message) => {
    const error = catchError(() => decodeRaw(inputs, Array(count).fill(0)));
    expect(error.status).toBe(400);
    expect(error.message.slice(0, message.length)).toBe(message);
  });
});

function catchError(action: () => unknown): KserveError {
  try {
    action();
  } catch (error) {
    if (error instanceof KserveError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
