import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs/light.js';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { readOnnx, writeOnnx } from '../../src/models/onnx-file.ts';
import { createMessage, type GraphProto, type ModelProto } from '../../src/models/onnx-schema.ts';
import { packageFile } from '../../src/package-files.ts';

const mnist = readFileSync(packageFile('models/mnist-cnn.onnx'));

function tinyModel(fields: Partial<ModelProto> = {}): ModelProto {
  return createMessage('ModelProto', {
    irVersion: 8,
    opsetImport: [createMessage('OperatorSetIdProto', { domain: '', version: 17 })],
    graph: createMessage('GraphProto', { output: [createMessage('ValueInfoProto', { name: 'y' })] }),
    ...fields,
  });
}

test('a file that another tool wrote comes back byte for byte', () => {
  expect(Buffer.compare(writeOnnx(readOnnx(mnist, 'mnist')), mnist)).toBe(0);
});

test('integers beyond 2^53 come back exact, others are plain numbers', () => {
  const ints = [0, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n];
  const attribute = createMessage('AttributeProto', { name: 'ends', ints });
  const tensor = createMessage('TensorProto', {
    int64Data: ints,
    uint64Data: [2n ** 64n - 1n, 7],
    dims: [ints.length],
  });
  const node = createMessage('NodeProto', { opType: 'Slice', attribute: [attribute] });
  const graph = { ...(tinyModel().graph as GraphProto), node: [node], initializer: [tensor] };
  const back = readOnnx(writeOnnx(tinyModel({ graph })), 'tiny').graph;
  expect(back.node[0]?.attribute[0]?.ints).toEqual(ints);
  expect(back.initializer[0]?.int64Data).toEqual(ints);
  expect(back.initializer[0]?.uint64Data).toEqual([2n ** 64n - 1n, 7]);
});

test('a field that is there with its default value stays there, and one that is absent stays absent', () => {
  const back = readOnnx(writeOnnx(tinyModel({ producerName: '', modelVersion: 0 })), 'tiny');
  expect(back).toMatchObject({ producerName: '', modelVersion: 0 });
  expect(back).not.toHaveProperty('docString');
});

test('fields newer than the schema survive, at the top and inside', () => {
  const writer = protobuf.Writer.create();
  const unknown = writer
    .uint32((99 << 3) | 2)
    .string('from the future')
    .finish();
  const graph = { ...(tinyModel().graph as GraphProto), $unknowns: [unknown] };
  const bytes = writeOnnx(Object.assign(tinyModel({ graph }), { $unknowns: [unknown] }));
  const text = Buffer.from(bytes).toString('latin1');
  expect(text.split('from the future')).toHaveLength(3);
  expect(Buffer.compare(writeOnnx(readOnnx(bytes, 'tiny')), bytes)).toBe(0);
});

describe('what is not an ONNX model is refused with a sentence', () => {
  test.each([
    ['an empty file', Buffer.alloc(0), 'not an ONNX model: the file is empty'],
    ['text', Buffer.from('model: squeezenet1.1\n'), 'not an ONNX model: '],
    ['zeros', Buffer.alloc(64), 'not an ONNX model: '],
    ['a file cut short', mnist.subarray(0, 1000), 'it may be cut short'],
    [
      'a model without a graph',
      Buffer.from(writeOnnx({ ...tinyModel(), graph: undefined } as never)),
      'it lacks a graph',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => readOnnx(bytes, 'models/mine.onnx')).toThrow(ModelError);
    expect(() => readOnnx(bytes, 'models/mine.onnx')).toThrow(`models/mine.onnx  not an ONNX model`);
    expect(() => readOnnx(bytes, 'models/mine.onnx')).toThrow(message);
  });

  test('any bytes at all give a model or a ModelError, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readOnnx(bytes, 'random');
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
