import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ModelError } from '../../../src/errors.ts';
import { readSidecar, topClasses, writeDescription } from '../../../src/models/index.ts';
import type { NamedTensor } from '../../../src/models/types.ts';
import { temporaryDir } from '../../launch/fixture.ts';

function sidecar(content: unknown): string {
  const folder = temporaryDir();
  writeFileSync(join(folder, 'mine.image.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return join(folder, 'mine.onnx');
}

test('the description beside a model is read, with what it leaves out', () => {
  const written = {
    channels: 'rgb',
    resize: { shorter_side: 256 },
    crop: { width: 224, height: 224 },
    mean: 0.5,
    labels: ['cat', 'dog'],
  };
  const description = readSidecar(sidecar(written));
  expect(description).toEqual({
    ...{ channels: 'rgb', layout: 'nchw', kernel: 'linear', scale: 1 / 255, mean: [0.5], std: [1] },
    ...{ resize: { shorterSide: 256 }, crop: { width: 224, height: 224 }, labels: ['cat', 'dog'] },
  });
  expect(description && writeDescription(description)).toMatchObject({ resize: { shorter_side: 256 } });
});

test('a model without one has none', () => {
  expect(readSidecar(join(temporaryDir(), 'mine.onnx'))).toBeUndefined();
});

test('all that is wrong with it is told at once', () => {
  const wrong = {
    channels: 'grey',
    kernel: 'best',
    std: [1, 0],
    crop: { width: 0 },
    labels: ['a', 'a'],
    sizes: 1,
    mean: [1, 2, 3],
  };
  let error: unknown;
  try {
    readSidecar(sidecar(wrong));
  } catch (caught) {
    error = caught;
  }
  expect((error as ModelError).problems.map(({ what }) => what)).toEqual([
    '"kernel" is "best", not one of nearest, linear, cubic, lanczos3',
    '"std" is [1,0], not a number above 0, or one for each channel',
    '"crop" is {"width":0}, not { "width": pixels, "height": pixels }',
    '"labels" is ["a","a"], not a list of different names, one for each class',
    '"sizes" is not known; known are channels, layout, crop, resize, kernel, scale, mean, std, labels, caveat',
    '"mean" has 3 numbers for 1 channel',
    '"std" has 2 numbers for 1 channel',
  ]);
  expect(() => readSidecar(sidecar('{'))).toThrow("the description of the model's images cannot be read");
  expect(() => readSidecar(sidecar({}))).toThrow('"channels" is missing: one of rgb, bgr, grey');
});

const scores = (values: readonly number[]): NamedTensor => ({
  ...{ name: 'y', type: 'float32', shape: [1, values.length] },
  data: Float32Array.from(values),
});

test('the likeliest classes come first, with their share of the softmax', () => {
  const [first, second] = topClasses(scores([0, Math.log(3), 0, Number.NaN]), 2, ['a', 'b', 'c', 'd']);
  expect(first).toMatchObject({ class: 1, label: 'b' });
  // 3 / (1 + 3 + 1), and 1 / 5.
  expect(first?.probability).toBeCloseTo(0.6, 6);
  expect(second).toMatchObject({ class: 0, label: 'a', score: 0 });
  expect(second?.probability).toBeCloseTo(0.2, 6);
});

test('probabilities are left as the model gives them, and classes without names have none', () => {
  expect(topClasses(scores([0.25, 0.75]), 5)).toEqual([
    { class: 1, label: undefined, score: 0.75, probability: 0.75 },
    { class: 0, label: undefined, score: 0.25, probability: 0.25 },
  ]);
});

test('an output that is no list of scores, or of other classes than named, is refused', () => {
  expect(() => topClasses({ ...scores([1, 2]), shape: [2, 1] }, 1)).toThrow('is no list of scores of one image');
  expect(() => topClasses(scores([1, 2]), 1, ['only'])).toThrow(
    'the model gives 2 scores, and its description names 1 classes',
  );
});
