import { copyFileSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/models/cached-file.ts';
import { countCorrect, makeSampleBatches, type ResolvedModel, resolveModel } from '../../../src/models/index.ts';
import { openFileRunner } from '../../../src/models/runner.ts';
import { parseVariant } from '../../../src/models/variants/parse-variant.ts';
import { packageFile } from '../../../src/package-files.ts';

const newFolder = () => mkdtempSync(join(tmpdir(), 'dse-variants-'));
const cacheDir = newFolder();
const mnist = (variant: string, cache = cacheDir) =>
  resolveModel('mnist-cnn', variant, { baseDir: '.', cacheDir: cache });

async function correctOf({ file, inputs, dataset }: ResolvedModel): Promise<number> {
  await using runner = await openFileRunner(file);
  let correct = 0;
  for (const { tensors, labels } of makeSampleBatches(inputs, { batch: 100, count: 10, seed: 1, dataset })) {
    const [output] = (await runner.run(tensors)).values();
    if (output !== undefined) correct += countCorrect(output, labels ?? [], 1);
  }
  return correct;
}

describe('a variant of the trained model', async () => {
  const base = await mnist('fp32');
  const baseCorrect = await correctOf(base);

  test.each(['int8-static', 'int8-static-percentile', 'int8-static-entropy', 'int8-dynamic', 'fp16'])(
    '%s loses at most 0.5 points of accuracy, and keeps name, samples, parameters and multiply-adds',
    async (variant) => {
      const model = await mnist(variant);
      expect(model).toMatchObject({ name: 'mnist-cnn', variant, isSynthetic: false, dataset: base.dataset });
      expect([model.params, model.macs]).toEqual([base.params, base.macs]);
      expect(await correctOf(model)).toBeGreaterThanOrEqual(baseCorrect - 5);
    },
  );

  test('in int8-static is at most 0.27 of the file', async () => {
    expect((await mnist('int8-static')).sizeBytes / base.sizeBytes).toBeLessThan(0.27);
  });

  test('tells in its lineage what it was made from, and with which images', async () => {
    const { lineage, caveats } = await mnist('int8-static-percentile');
    expect(lineage).toEqual({
      base: base.digest,
      steps: [
        {
          step: 'int8-static',
          method: 'percentile',
          stored: 0,
          calibration: 'mnist-calibration-500-images.idx',
          calibration_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          calibration_items: 500,
          calibration_random: false,
        },
      ],
    });
    expect(caveats).toEqual([]);
  });
});

describe('a variant is kept', () => {
  test('in the cache with its digest beside it, and made once', async () => {
    const cache = newFolder();
    const { file, digest } = await mnist('int8-static', cache);
    expect(basename(file)).toMatch(/^mnist-cnn-int8-static-[0-9a-f]{12}\.onnx$/);
    expect(readFileSync(`${file}.sha256`, 'utf8')).toBe(`${digest}  ${basename(file)}\n`);
    const { mtimeMs } = statSync(file);
    await mnist('int8-static', cache);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(cache)).toHaveLength(2);
  });

  test('with the same bytes wherever it is made, also after it was damaged', async () => {
    const cache = newFolder();
    const { file, digest } = await mnist('int8-static', cache);
    expect((await mnist('int8-static')).digest).toBe(digest);
    writeFileSync(file, readFileSync(file).subarray(0, 1000));
    expect((await mnist('int8-static', cache)).digest).toBe(digest);
    expect(await digestOf(file)).toBe(digest);
  });
});

test('a file of the user gets variants too, calibrated on random numbers, which it says', async () => {
  const folder = newFolder();
  copyFileSync(packageFile('models/mnist-cnn.onnx'), join(folder, 'mine.onnx'));
  const model = await resolveModel('mine.onnx', 'int8-static', { baseDir: folder, cacheDir: join(folder, 'cache') });
  expect(basename(model.file)).toMatch(/^mine-int8-static-/);
  expect(model.lineage?.steps[0]).toMatchObject({ calibration: 'seeded random numbers', calibration_random: true });
  expect(model.caveats).toEqual(['calibrated on random numbers: true in cost, not in answers']);
});

test('a variant of a synthetic model stays called synthetic', async () => {
  const model = await resolveModel('squeezenet1.1', 'int8-static', { baseDir: '.', cacheDir });
  expect(model).toMatchObject({ isSynthetic: true, macs: 349_151_936, caveats: [] });
});

describe('names of variants', () => {
  test('stand for steps in order', () => {
    expect(parseVariant('fp32')).toEqual([]);
    expect(parseVariant('int8-static')).toEqual([{ kind: 'int8-static', method: 'minmax' }]);
    expect(parseVariant('pruned-30+int8-static-entropy')).toEqual([
      { kind: 'pruned', percent: 30, by: 'activation' },
      { kind: 'int8-static', method: 'entropy' },
    ]);
    expect(parseVariant('sparse-50+fp16')).toEqual([{ kind: 'sparse', percent: 50 }, { kind: 'fp16' }]);
  });

  test.each(['int4', '', 'fp32+fp16', 'pruned-0', 'pruned-100', 'pruned', 'int8-static-'])('%j is none', (name) => {
    expect(() => parseVariant(name)).toThrow(`unknown variant "${name}"`);
  });

  test('whose number format does not come last are refused', () => {
    expect(() => parseVariant('int8-static+pruned-30')).toThrow('goes on after a change of the number format');
  });
});
