import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { evaluateModel, resolveModel } from '../../src/models/index.ts';
import { packageFile } from '../../src/package-files.ts';

const folders = { baseDir: '.', cacheDir: tmpdir() };
const own = { data: undefined, labels: undefined };

test('the time-series model gets as many test series right as its training log says', async () => {
  const log = JSON.parse(readFileSync(packageFile('experiments/japanese-vowels/training-log.json'), 'utf8'));
  const model = await resolveModel('japanese-vowels', 'fp32', folders);
  expect(model.digest).toBe(log.sha256['japanese-vowels.onnx']);
  const { samples, top1 } = await evaluateModel(model, undefined, own);
  expect([samples, Math.round(top1 * samples)]).toEqual([log.test_series, log.test_correct]);
});

test('the text model tells source files of eleven types apart', async () => {
  const log = JSON.parse(readFileSync(packageFile('experiments/magika/test-set.json'), 'utf8'));
  const model = await resolveModel('magika', 'fp32', folders);
  const { samples, top1, perClass } = await evaluateModel(model, undefined, own);
  expect(samples).toBe(log.files.length);
  expect(perClass).toHaveLength(11);
  expect(top1).toBeGreaterThan(0.9);
});
