import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { inspectModel } from '../../../src/models/index.ts';
import { readOnnx, writeOnnx } from '../../../src/models/onnx-file.ts';
import type { ModelProto } from '../../../src/models/onnx-schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'dse-inspect-'));
const options = { baseDir: folder, cacheDir: join(folder, 'cache') };

function smallFile(): string {
  const graph = new GraphBuilder('small');
  const input = graph.input('input', 'float32', ['n', 2, 4, 4]);
  const weights = graph.floats('w', [3, 2, 1, 1], new Float32Array(6).fill(0.5));
  const conv = graph.node('Conv', 'conv', [input, weights]);
  const relu = graph.node('Relu', 'relu', [conv]);
  const bent = graph.node('Softplus', 'softplus', [relu]);
  graph.node('Add', 'add', [relu, bent], {}, 'output');
  graph.output('output', 'float32', ['n', 3, 4, 4]);
  writeFileSync(join(folder, 'small.onnx'), writeOnnx(graph.build({})));
  return 'small.onnx';
}

describe('the report of a model', () => {
  test('tells operators by their multiply-adds, and the memory of weights and values as counted by hand', async () => {
    const report = await inspectModel(smallFile(), 'fp32', options);
    const value = 3 * 4 * 4 * 4; // bytes of each of the four values
    expect(report).toMatchObject({
      opset: 17,
      params: 6,
      macs: 6 * 16,
      weightsBytes: 24,
      activationsBytes: 4 * value,
      // relu, softplus and their sum are needed at one time.
      peakActivationsBytes: 3 * value,
      lineage: undefined,
      optimized: undefined,
    });
    expect(report.operators).toEqual([
      { opType: 'Conv', count: 1, macs: 96 },
      { opType: 'Relu', count: 1, macs: 0 },
      { opType: 'Softplus', count: 1, macs: 0 },
      { opType: 'Add', count: 1, macs: 0 },
    ]);
    expect(report.layers[0]).toEqual({ name: 'conv', opType: 'Conv', outputShape: [1, 3, 4, 4], macs: 96 });
  });

  test('says of a quantised model that nothing stayed in float, and that its values are a quarter', async () => {
    const base = await inspectModel('mnist-cnn', 'fp32', { ...options, optimized: true });
    const report = await inspectModel('mnist-cnn', 'int8-static', { ...options, optimized: true });
    expect(base.optimized?.filter(({ format }) => format === 'integer')).toEqual([]);
    expect(report.optimized?.filter(({ format }) => format === 'float')).toEqual([]);
    expect(report.optimized).toContainEqual({ opType: 'QLinearConv', format: 'integer', count: 2 });
    expect((report.weightsBytes ?? 0) / base.weightsBytes).toBeLessThan(0.26);
    expect((report.peakActivationsBytes ?? 0) / (base.peakActivationsBytes ?? 1)).toBeLessThan(0.3);
  });

  test.each([
    ['IR version', (model: ModelProto) => Object.assign(model, { irVersion: 99 }), 'Unsupported model IR version: 99'],
    ['operator set', (model: ModelProto) => Object.assign(model.opsetImport[0] ?? {}, { version: 99 }), 'Opset 99'],
    ['operator', (model: ModelProto) => Object.assign(model.graph?.node[2] ?? {}, { opType: 'Sharpen' }), 'Sharpen'],
  ])('says that onnxruntime does not load an unknown %s, and what the file tells', async (_, change, why) => {
    const file = join(folder, smallFile());
    const model = readOnnx(readFileSync(file), file);
    change(model);
    writeFileSync(join(folder, 'unknown.onnx'), writeOnnx(model));
    const report = await inspectModel('unknown.onnx', 'fp32', options);
    expect(report).toMatchObject({ params: 6, refusal: expect.stringContaining(why) });
    expect((await inspectModel('small.onnx', 'fp32', options)).refusal).toBeUndefined();
  });

  test('names what stayed in float where a part could not be quantised', async () => {
    const report = await inspectModel(smallFile(), 'int8-static', { ...options, optimized: true });
    expect(report.optimized).toContainEqual({ opType: 'QLinearConv', format: 'integer', count: 1 });
    expect(report.optimized?.find(({ opType }) => opType === 'Softplus')?.format).toBe('float');
  });
});
