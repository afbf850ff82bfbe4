import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { DseError } from '../../../src/errors.ts';
import { evaluateModel, resolveModel } from '../../../src/models/index.ts';
import { packageFile } from '../../../src/package-files.ts';
import { temporaryDir } from '../../launch/fixture.ts';

const images = readFileSync(packageFile('models/mnist-test-1000-images.idx')).subarray(16);
const labels = readFileSync(packageFile('models/mnist-test-1000-labels.idx')).subarray(8);
const mnist = () => resolveModel('mnist-cnn', 'fp32', { baseDir: '.', cacheDir: temporaryDir() });

async function put(folder: string, name: string, index: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const pixels = images.subarray(index * 784, (index + 1) * 784);
  const raw = { width: 28, height: 28, channels: 1 } as const;
  writeFileSync(join(folder, name), await sharp(pixels, { raw }).toColourspace('b-w').png().toBuffer());
}

const data = (folder: string) => ({ data: folder, labels: undefined });

test('images of a folder give the accuracy that the same samples give in a file', async () => {
  const folder = temporaryDir();
  for (let index = 0; index < 1000; index += 10) await put(join(folder, String(labels[index])), `${index}.png`, index);
  writeFileSync(join(folder, '.hidden'), '');
  const model = await mnist();
  const evaluation = await evaluateModel(model, undefined, data(folder));
  const whole = await evaluateModel(model, undefined, { data: undefined, labels: undefined });
  expect(evaluation.samples).toBe(100);
  expect(evaluation.perClass).toHaveLength(10);
  // 99 % of all 1000 are right; of these 100 not fewer than 95 can be by chance.
  expect(Math.abs(evaluation.top1 - whole.top1)).toBeLessThan(0.05);
});

test('a folder that is wrong is told so with all its problems', async () => {
  const folder = temporaryDir();
  await put(join(folder, '3'), 'good.png', 0);
  writeFileSync(join(folder, '3', 'notes.txt'), 'no image');
  writeFileSync(join(folder, '3', 'cut.png'), readFileSync(join(folder, '3', 'good.png')).subarray(0, 60));
  await put(join(folder, 'cat'), 'good.png', 0);
  mkdirSync(join(folder, '4'));
  writeFileSync(join(folder, 'stray.png'), '');
  const problems = await evaluateModel(await mnist(), undefined, data(folder)).then(
    () => [],
    (error: unknown) => (error instanceof DseError ? error.problems : []),
  );
  expect(
    problems.map(({ where, what }) => [where?.slice(folder.length), what.replace(/decoded: .*/, 'decoded')]),
  ).toEqual([
    ['/stray.png', 'the file is in no class'],
    ['/4', 'the class has no images'],
    ['/cat', 'the model has no class "cat"'],
    ['/3/cut.png', 'the image cannot be decoded'],
    ['/3/notes.txt', 'these 8 bytes are neither a JPEG nor a PNG file'],
  ]);
});

test('a folder with scale or labels, one without subfolders, and a model that takes no images are refused', async () => {
  const folder = temporaryDir();
  await expect(evaluateModel(await mnist(), undefined, { ...data(folder), scale: 2 })).rejects.toThrow(
    'a folder of images is given with labels, scale or offset',
  );
  await expect(evaluateModel(await mnist(), undefined, data(folder))).rejects.toThrow('the folder has no subfolders');
  const vowels = await resolveModel('japanese-vowels', 'fp32', { baseDir: '.', cacheDir: temporaryDir() });
  await expect(evaluateModel(vowels, undefined, data(folder))).rejects.toThrow(
    'nothing says how images become the input of "japanese-vowels"',
  );
});
