import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { convertToFloat16 } from '../../../src/models/convert/float16.ts';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { readOnnx, writeOnnx } from '../../../src/models/onnx-file.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { inputSpecs, outputSpecs } from '../../../src/models/tensor-specs.ts';
import { packageFile } from '../../../src/package-files.ts';
import { answer, copyOf, randomInputs, relativeDifference } from '../run-model.ts';

test('the trained model in float16 takes and gives float32, in half the file, within 1 % of its parent', async () => {
  const base = readOnnx(readFileSync(packageFile('models/mnist-cnn.onnx')), 'mnist');
  const model = copyOf(base);
  normalize(model, 'mnist');
  convertToFloat16(model, 'mnist');
  expect(inputSpecs(model.graph, 'mnist')).toEqual(inputSpecs(base.graph, 'mnist'));
  expect(outputSpecs(model.graph, 'mnist')).toEqual(outputSpecs(base.graph, 'mnist'));
  expect(writeOnnx(model).length / writeOnnx(base).length).toBeLessThan(0.51);
  const inputs = randomInputs(base, 3);
  expect(relativeDifference(await answer(base, inputs), await answer(model, inputs))).toBeLessThan(0.01);
});

test('an operator that may not take float16, and a weight too large for it, are refused', () => {
  const graph = (opType: string, weight: number) => {
    const builder = new GraphBuilder('odd');
    const input = builder.input('input', 'float32', ['n', 2]);
    builder.node(opType, 'node', [input, builder.floats('w', [2], Float32Array.of(weight, 1))], {}, 'output');
    builder.output('output', 'float32', ['n', 2]);
    return copyOf(builder);
  };
  expect(() => convertToFloat16(graph('Resize', 1), 'a.onnx')).toThrow(
    'a.onnx  the model has a node of type Resize, which is not known to take float16 throughout',
  );
  expect(() => convertToFloat16(graph('Add', 7e4), 'a.onnx')).toThrow(
    'the tensor "w" holds 70000, which float16 cannot',
  );
  expect(() => convertToFloat16(graph('Add', 65504), 'a.onnx')).not.toThrow();
});
