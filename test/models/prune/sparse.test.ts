import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readOnnx } from '../../../src/models/onnx-file.ts';
import { zeroSmallest } from '../../../src/models/prune/sparse.ts';
import { floatsOf } from '../../../src/models/rewrite/tensor-values.ts';
import { packageFile } from '../../../src/package-files.ts';
import { answer, copyOf, randomInputs, relativeDifference } from '../run-model.ts';

test('the smallest weights of each layer are zero, the others and the biases as they were', async () => {
  const base = readOnnx(readFileSync(packageFile('models/mnist-cnn.onnx')), 'mnist');
  const model = copyOf(base);
  const zeroed = zeroSmallest(model, 0.25, 'mnist');
  const weightOf = ({ graph }: typeof base, node: string) =>
    floatsOf(graph.initializer.find(({ name }) => name === graph.node.find((each) => each.name === node)?.input[1]));
  let counted = 0;
  for (const node of ['conv1', 'conv2', 'fc1', 'fc2']) {
    const [before, after] = [weightOf(base, node), weightOf(model, node)];
    const kept = before?.filter((_, index) => after?.[index] !== 0).map(Math.abs) ?? new Float32Array();
    const gone = before?.filter((_, index) => after?.[index] === 0).map(Math.abs) ?? new Float32Array();
    counted += gone.length;
    expect(Math.max(...gone)).toBeLessThanOrEqual(kept.reduce((least, value) => Math.min(least, value), Infinity));
    expect(after?.every((value, index) => value === 0 || value === before?.[index])).toBe(true);
  }
  expect(zeroed).toBe(counted);
  const inputs = randomInputs(base, 2);
  expect(relativeDifference(await answer(base, inputs), await answer(model, inputs))).toBeLessThan(0.2);
});
