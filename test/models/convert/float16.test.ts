import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { convertToFloat16 } from '../../../src/models/convert/float16.ts';
import { halfBits, halfToNumber } from '../../../src/models/float16.ts';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { readOnnx, writeOnnx } from '../../../src/models/onnx-file.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { inputSpecs, outputSpecs } from '../../../src/models/tensor-specs.ts';
import { packageFile } from '../../../src/package-files.ts';
import { answer, copyOf, randomInputs, relativeDifference } from '../run-model.ts';

test('every float16 that is a number comes back from its value', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = halfToNumber(bits);
    if (!Number.isNaN(value)) expect(halfBits(value)).toBe(bits);
  }
});

test('a number between two float16 goes to the nearer one, and to the even one from the middle', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7bfe }), fc.double({ min: 0, max: 1, noNaN: true }), (bits, share) => {
      const [low, high] = [halfToNumber(bits), halfToNumber(bits + 1)];
      const value = Math.fround(low + share * (high - low));
      const nearest = value - low < high - value ? bits : value - low > high - value ? bits + 1 : bits + (bits % 2);
      expect(halfBits(value)).toBe(nearest);
    }),
  );
});

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
