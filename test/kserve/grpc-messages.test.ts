import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeGrpcInferRequest,
  decodeGrpcInferResponse,
  encodeGrpcInferRequest,
  encodeGrpcInferResponse,
  loadInferenceProto,
  type ModelInferRequestMessage,
  type ModelInferResponseMessage,
  type ModelSignature,
} from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { anyTensors } from './arbitraries.ts';

const { service } = await loadInferenceProto();
const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } =
  service.ModelInfer as NonNullable<typeof service.ModelInfer>;

function overTheWire(message: ModelInferRequestMessage): ModelInferRequestMessage {
  return requestDeserialize(requestSerialize(message)) as ModelInferRequestMessage;
}

function signatureOf(tensors: readonly NamedTensor[]): ModelSignature {
  return { inputs: tensors, outputs: [{ name: 'y', type: 'float32', shape: [] }] };
}

const model: ModelSignature = {
  inputs: [{ name: 'a', type: 'float32', shape: ['n', 2] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['n'] }],
};
const right: ModelInferRequestMessage = {
  model_name: 'm',
  model_version: '',
  id: '',
  inputs: [{ name: 'a', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 2] } }],
  outputs: [],
  raw_input_contents: [],
};
const [input] = right.inputs as [ModelInferRequestMessage['inputs'][number]];

describe('a ModelInferRequest', () => {
  it('carries any tensors as raw bytes', () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        const message = overTheWire(encodeGrpcInferRequest('m', tensors, { id: '7' }));
        const request = decodeGrpcInferRequest(message, signatureOf(tensors));
        expect(request.tensors).toEqual(tensors);
        expect(request.id).toBe('7');
        expect(request).toMatchObject({ outputs: ['y'], binaryOutputs: new Set(['y']) });
      }),
      { numRuns: 300 },
    );
  });

  it('is decoded into the memory it is given, whatever that held before and however large it is', () => {
    const used: ArrayBuffer[] = [];
    const allocate = (size: number) => {
      used.push(new Uint8Array(size + 24).fill(0xff).buffer);
      return used.at(-1) as ArrayBuffer;
    };
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        const message = overTheWire(encodeGrpcInferRequest('m', tensors));
        expect(decodeGrpcInferRequest(message, signatureOf(tensors), allocate).tensors).toEqual(tensors);
      }),
      { numRuns: 100 },
    );
    expect(used).not.toHaveLength(0);
  });

  it('may carry parameters of every kind', () => {
    const parameters = {
      a: { bool_param: true },
      b: { int64_param: '-5' },
      c: { string_param: 'x' },
      d: { double_param: 0.5 },
      e: { uint64_param: '6' },
      f: {},
    };
    const request = decodeGrpcInferRequest(overTheWire({ ...right, parameters }), model);
    expect(request.parameters).toEqual({ a: true, b: -5, c: 'x', d: 0.5, e: 6, f: undefined });
    expect(request.tensors).toEqual([{ name: 'a', type: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) }]);
    expect(request).toMatchObject({ outputs: ['y'], binaryOutputs: new Set() });
  });

  it.each<[string, Partial<ModelInferRequestMessage>, string]>([
    [
      'an input the model lacks',
      { inputs: [{ ...input, name: 'b' }] },
      'the model has no input "b"; its inputs are "a"',
    ],
    ['no input', { inputs: [] }, 'the request lacks the input "a"'],
    ['an input twice', { inputs: [input, input] }, 'input "a" is given twice'],
    [
      'another datatype',
      { inputs: [{ ...input, datatype: 'FP64' }] },
      'input "a" has the datatype FP64, but the model takes FP32',
    ],
    [
      'an unknown datatype',
      { inputs: [{ ...input, datatype: 'FP8' }] },
      'input "a" has the datatype "FP8", which is none of',
    ],
    [
      'a shape the model does not take',
      { inputs: [{ ...input, shape: [2] }] },
      'input "a" has the shape [2], but the model takes [-1,2]',
    ],
    [
      'a negative dimension',
      { inputs: [{ ...input, shape: [-1, 2] }] },
      'input "a" has the shape [-1,2], where an array',
    ],
    [
      'a shape beyond counting',
      { inputs: [{ ...input, shape: ['9223372036854775807', 2] }] },
      'input "a" has the shape [',
    ],
    [
      'too few values',
      { inputs: [{ ...input, shape: [2, 2] }] },
      'input "a" has 2 values, but its shape [2,2] makes 4',
    ],
    [
      'values in the wrong field',
      { inputs: [{ ...input, contents: { fp64_contents: [1, 2] } }] },
      'input "a" is FP32 and has data in fp64_contents, where fp32_contents holds it',
    ],
    [
      'raw and typed contents at once',
      { raw_input_contents: [Buffer.alloc(8)] },
      'input 0 has both typed contents and raw_input_contents',
    ],
    [
      'more raw contents than inputs',
      { raw_input_contents: [Buffer.alloc(8), Buffer.alloc(8)] },
      'the request has 1 inputs and 2 raw_input_contents',
    ],
    [
      'raw contents of the wrong size',
      { inputs: [{ name: 'a', datatype: 'FP32', shape: [1, 2] }], raw_input_contents: [Buffer.alloc(7)] },
      'input "a" has 7 bytes of binary data, but its shape and datatype make 8',
    ],
    ['an output the model lacks', { outputs: [{ name: 'z' }] }, 'the model has no output "z"; its outputs are "y"'],
    [
      'an output wanted as classes',
      { outputs: [{ name: 'y', parameters: { classification: { int64_param: '3' } } }] },
      'requested output "y" has the parameter "classification", an extension that this server does not have',
    ],
    ['an output twice', { outputs: [{ name: 'y' }, { name: 'y' }] }, 'requested output "y" is asked for twice'],
  ])('with %s is refused', (_, changes, error) => {
    expect(() => decodeGrpcInferRequest(overTheWire({ ...right, ...changes }), model)).toThrow(error);
  });

  it.each([
    ['INT8', 'int8', { int_contents: [300] }, 'input "a" has 300 as value 0, which is not a INT8 value'],
    ['UINT8', 'uint8', { uint_contents: [256] }, 'input "a" has 256 as value 0, which is not a UINT8 value'],
    ['BYTES', 'string', { bytes_contents: [Buffer.from([0xff])] }, 'string 0 of input "a" is not UTF-8 text'],
    ['FP16', 'float16', {}, 'input "a" is FP16, which has no typed contents; send it in raw_input_contents'],
  ] as const)('with a %s value that the type cannot hold is refused', (datatype, type, contents, error) => {
    const message = overTheWire({ ...right, inputs: [{ name: 'a', datatype, shape: [1], contents }] });
    expect(() => decodeGrpcInferRequest(message, { ...model, inputs: [{ name: 'a', type, shape: [1] }] })).toThrow(
      error,
    );
  });
});

describe('a ModelInferResponse', () => {
  it.each(['raw', 'typed'])('carries any outputs %s', (form) => {
    fc.assert(
      fc.property(anyTensors, (outputs) => {
        const binaryOutputs = new Set(form === 'raw' ? outputs.map(({ name }) => name) : []);
        const message = encodeGrpcInferResponse({ modelName: 'm', modelVersion: '1', id: '7', outputs, binaryOutputs });
        // FP16 has no typed form, and the protocol allows none or all to be raw.
        const isRaw = form === 'raw' || outputs.some(({ type }) => type === 'float16');
        expect(message.raw_output_contents).toHaveLength(isRaw ? outputs.length : 0);
        const received = responseDeserialize(responseSerialize(message)) as ModelInferResponseMessage;
        expect(decodeGrpcInferResponse(received)).toEqual({ modelName: 'm', modelVersion: '1', id: '7', outputs });
      }),
      { numRuns: 300 },
    );
  });
});
