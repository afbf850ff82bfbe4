import { describe, expect, it } from 'vitest';
import { decodeModelMetadata, modelMetadataJson } from '../../src/kserve/index.ts';

describe('model metadata', () => {
  const metadata = {
    name: 'm',
    versions: ['1', '2'],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3, 224, 224] }],
    outputs: [{ name: 'y', type: 'string', shape: [] }],
    parameters: { spinning: false },
  } as const;

  it('is written with -1 for what the model leaves open', () => {
    expect(modelMetadataJson(metadata)).toEqual({
      ...metadata,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, 224, 224] }],
      outputs: [{ name: 'y', datatype: 'BYTES', shape: [] }],
    });
  });

  it('is read back but for the names of open dimensions', () => {
    const body = Buffer.from(JSON.stringify(modelMetadataJson(metadata)));
    expect(decodeModelMetadata(body)).toEqual({
      ...metadata,
      inputs: [{ name: 'x', type: 'float32', shape: ['dim0', 3, 224, 224] }],
    });
  });

  it('of a server that says little is read too', () => {
    expect(decodeModelMetadata(Buffer.from('{"name":"m","platform":"p","inputs":[],"outputs":[]}'))).toMatchObject({
      versions: [],
      parameters: {},
    });
  });

  it.each(['{}', '{"name":"m"}', '{"name":"m","inputs":[{"name":"x"}],"outputs":[]}', 'no'])(
    'in %s is refused',
    (body) => {
      expect(() => decodeModelMetadata(Buffer.from(body))).toThrow(/^(the|one of the inputs in the) model metadata /);
    },
  );
});
