import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { countCorrect, makeSampleBatches, resolveModel } from '../../src/models/index.ts';
import { packageFile } from '../../src/package-files.ts';

test('the trained model gets as many of the 1,000 test images right as its training log says', async () => {
  const log = JSON.parse(readFileSync(packageFile('experiments/mnist-cnn/training-log.json'), 'utf8'));
  const model = await resolveModel('mnist-cnn', 'fp32', { baseDir: '.', cacheDir: tmpdir() });
  expect(model).toMatchObject({ isSynthetic: false, params: 105_866, macs: 1_117_056 });
  expect(model.digest).toBe(log.sha256['mnist-cnn.onnx']);

  const session = await ort.InferenceSession.create(model.file, { intraOpNumThreads: 1 });
  const { inputs, dataset } = model;
  let correct = 0;
  for (const { tensors, labels } of makeSampleBatches(inputs, { batch: 50, count: 20, seed: 1, dataset })) {
    const [input] = tensors;
    const { logits } = await session.run({
      input: new ort.Tensor('float32', input?.data as Float32Array, input?.shape ?? []),
    });
    const data = logits?.data as Float32Array;
    correct += countCorrect({ name: 'logits', type: 'float32', shape: logits?.dims ?? [], data }, labels ?? [], 1);
  }
  expect(correct).toBe(log.drawn_correct);
  expect(log.test_correct / log.test_images).toBeGreaterThan(0.985);
  await session.release();
});
