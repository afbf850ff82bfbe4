import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { resolveModel } from '../../../src/models/index.ts';
import { writeOnnx } from '../../../src/models/onnx-file.ts';
import { createMessage } from '../../../src/models/onnx-schema.ts';
import { readModel } from '../../../src/models/rewrite/read-model.ts';
import { floatsOf } from '../../../src/models/rewrite/tensor-values.ts';

/** A model whose weights [4, 4] stand in "weights.bin" from byte 8 on. */
function modelWithData(dataLength: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'dse-external-'));
  const graph = new GraphBuilder('external');
  const input = graph.input('input', 'float32', ['n', 4]);
  graph.node('MatMul', 'product', [input, graph.floats('w', [4, 4], new Float32Array(16))], {}, 'output');
  graph.output('output', 'float32', ['n', 4]);
  const model = graph.build({});
  const [weights] = model.graph?.initializer ?? [];
  delete weights?.rawData;
  const entry = (key: string, value: string) => createMessage('StringStringEntryProto', { key, value });
  Object.assign(weights ?? {}, {
    dataLocation: 1,
    externalData: [entry('location', 'weights.bin'), entry('offset', '8'), entry('length', '64')],
  });
  const data = Buffer.alloc(dataLength);
  for (let index = 0; 8 + 4 * index + 4 <= dataLength; index++) data.writeFloatLE(index + 1, 8 + 4 * index);
  writeFileSync(join(folder, 'weights.bin'), data);
  writeFileSync(join(folder, 'model.onnx'), writeOnnx(model));
  return join(folder, 'model.onnx');
}

test('weights that stand in another file are brought in, under the digest of both', async () => {
  const file = modelWithData(72);
  const { model, digest } = await readModel(file);
  expect([...(floatsOf(model.graph.initializer[0]) ?? [])]).toEqual(
    Array.from({ length: 16 }, (_, index) => index + 1),
  );
  expect(digest).toBe((await resolveModel(file, 'fp32', { baseDir: '.', cacheDir: tmpdir() })).digest);
});

test('a variant of such a model stands alone', async () => {
  const file = modelWithData(72);
  const cacheDir = mkdtempSync(join(tmpdir(), 'dse-external-cache-'));
  const { params, lineage } = await resolveModel(file, 'int8-dynamic', { baseDir: '.', cacheDir });
  expect(params).toBe(16);
  expect(lineage?.steps).toEqual([{ step: 'int8-dynamic', products: 1, stored: 0 }]);
});

test('a data file that ends too soon is refused by the name of the tensor', async () => {
  const file = modelWithData(40);
  await expect(readModel(file)).rejects.toThrow('the tensor "w" lies at bytes 8 to 72 of a file of 40');
});
