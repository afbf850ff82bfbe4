import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeError,
  decodeInferResponse,
  encodeError,
  encodeInferResponse,
  KserveError,
} from '../../src/kserve/index.ts';
import { anyTensors } from './arbitraries.ts';

function text(body: Uint8Array): string {
  return Buffer.from(body).toString();
}

describe('responses', () => {
  it('are the same after encoding and decoding, each output as JSON or as bytes', () => {
    fc.assert(
      fc.property(anyTensors, fc.infiniteStream(fc.boolean()), (outputs, flags) => {
        const binaryOutputs = new Set(outputs.filter(() => flags.next().value).map(({ name }) => name));
        const { headers, body } = encodeInferResponse({
          modelName: 'm',
          modelVersion: '1',
          id: 'é',
          outputs,
          binaryOutputs,
        });
        expect(decodeInferResponse(headers, body)).toEqual({ modelName: 'm', modelVersion: '1', id: 'é', outputs });
      }),
      { numRuns: 500 },
    );
  });

  it('are written as the specification shows', () => {
    const { headers, body } = encodeInferResponse({
      modelName: 'mymodel',
      modelVersion: undefined,
      id: '42',
      outputs: [
        { name: 'output0', type: 'float32', shape: [3, 2], data: Float32Array.of(1, 1.5, 2, -0, 3, Number.NaN) },
      ],
      binaryOutputs: new Set(),
    });
    expect(text(body)).toBe(
      '{"model_name":"mymodel","id":"42","outputs":[{"name":"output0","shape":[3,2],"datatype":"FP32","data":[1,1.5,2,-0.0,3,"NaN"]}]}',
    );
    expect(headers).toEqual({ 'content-type': 'application/json', 'content-length': String(body.byteLength) });
  });

  it('announce where binary data begin', () => {
    const { headers, body } = encodeInferResponse({
      modelName: 'm',
      modelVersion: '1',
      id: undefined,
      outputs: [{ name: 'y', type: 'uint8', shape: [2], data: Uint8Array.of(7, 8) }],
      binaryOutputs: new Set(['y']),
    });
    const length = Number(headers['inference-header-content-length']);
    expect(JSON.parse(text(body.subarray(0, length)))).toEqual({
      model_name: 'm',
      model_version: '1',
      outputs: [{ name: 'y', shape: [2], datatype: 'UINT8', parameters: { binary_data_size: 2 } }],
    });
    expect([...body.subarray(length)]).toEqual([7, 8]);
    expect(length % 8).toBe(0);
  });

  it('that cannot be read are the server’s fault', () => {
    const decode = () => decodeInferResponse({}, new Uint8Array(Buffer.from('{"outputs":[{"name":"y"}]}')));
    expect(decode).toThrow(KserveError);
    expect(decode).toThrow('output "y" has the datatype undefined');
    try {
      decode();
    } catch (error) {
      expect((error as KserveError).status).toBe(502);
    }
  });
});

describe('errors', () => {
  it('have the protocol’s form', () => {
    expect(text(encodeError('no "such" model').body)).toBe('{"error":"no \\"such\\" model"}');
    expect(decodeError(encodeError('no').body)).toBe('no');
    expect(decodeError(Buffer.from('<html>'))).toBeUndefined();
  });
});
