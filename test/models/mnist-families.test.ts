import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/models/catalogue.ts';
import { evaluateModel, resolveModel } from '../../src/models/index.ts';
import { packageFile } from '../../src/package-files.ts';

const log = JSON.parse(readFileSync(packageFile('experiments/mnist-families/training-log.json'), 'utf8'));
const folders = { baseDir: '.', cacheDir: mkdtempSync(join(tmpdir(), 'dse-families-')) };
const own = { data: undefined, labels: undefined };
const families = ['cnn', 'resnet', 'mobilenet'].flatMap((family) => ['s', 'm', 'l'].map((size) => `${family}-${size}`));

const correctOf = async (name: string, variant: string) => {
  const { top1, samples } = await evaluateModel(await resolveModel(`mnist-${name}`, variant, folders), undefined, own);
  return Math.round(top1 * samples);
};

describe.each(families)('mnist-%s', (name) => {
  const entry = catalogue[`mnist-${name}`];
  const variants = entry?.isSynthetic === false ? Object.keys(entry.variants ?? {}) : [];

  test.each(['fp32', ...variants])(
    '%s is the file of the training log, and gets as many test images right',
    async (variant) => {
      const of = log.models[variant === 'fp32' ? name : `${name}-${variant}`];
      const model = await resolveModel(`mnist-${name}`, variant, folders);
      expect(model).toMatchObject({ digest: of.sha256, params: of.parameters, isSynthetic: false });
      expect(await correctOf(name, variant)).toBe(of.committed_correct);
    },
  );

  test('loses at most half a point of top-1 as int8-static, calibrated on training images', async () => {
    expect(await correctOf(name, 'int8-static')).toBeGreaterThanOrEqual((await correctOf(name, 'fp32')) - 5);
  });
});

test('a trained variant tells in its lineage what it was made from and on which data', async () => {
  const base = await resolveModel('mnist-cnn-s', 'fp32', folders);
  const tuned = await resolveModel('mnist-cnn-s', 'pruned-50-finetuned', folders);
  expect(tuned.lineage?.base).toBe(base.digest);
  expect(tuned.lineage?.steps.map(({ step }) => step)).toEqual(['fold-batch-norm', 'pruned', 'fine-tuned']);
  const distilled = await resolveModel('mnist-cnn-s', 'distilled', folders);
  expect(distilled.lineage).toMatchObject({
    base: base.digest,
    steps: [{ step: 'distilled', teacher: 'mnist-resnet-l' }],
  });
});

test('a trained variant goes on into number formats, and is refused of a model that has none', async () => {
  const model = await resolveModel('mnist-cnn-s', 'distilled+int8-static', folders);
  expect(model.lineage?.steps.map(({ step }) => step)).toEqual(['distilled', 'fold-batch-norm', 'int8-static']);
  await expect(resolveModel('squeezenet1.1', 'distilled', folders)).rejects.toThrow(
    '"squeezenet1.1" has no variant "distilled": it is trained, and cannot be made of any model',
  );
  await expect(resolveModel('mnist-cnn-s', 'pruned-30+distilled', folders)).rejects.toThrow(
    'names a trained variant after another step',
  );
});
