import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { countCost } from '../../../src/models/cost.ts';
import { resolveModel } from '../../../src/models/index.ts';
import { planFilters, removeFilters } from '../../../src/models/prune/filters.ts';
import { percentForShare } from '../../../src/models/prune/target.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { readModel } from '../../../src/models/rewrite/read-model.ts';

test.each([0.7, 0.5, 0.25])(
  'the percentage found leaves at most %d of the multiply-adds, and one less leaves more',
  async (share) => {
    const { file } = await resolveModel('mnist-resnet-l', 'fp32', { baseDir: '.', cacheDir: tmpdir() });
    const { model } = await readModel(file);
    const shareAfter = (percent: number) => {
      const pruned = structuredClone(model);
      normalize(pruned, file);
      removeFilters(pruned, planFilters(pruned, percent / 100, file), file);
      return (countCost(pruned, file).macs ?? 0) / (countCost(model, file).macs ?? 0);
    };
    const percent = percentForShare(model, share, file);
    expect(shareAfter(percent)).toBeLessThanOrEqual(share);
    expect(shareAfter(percent - 1)).toBeGreaterThan(share);
  },
);

test('a share that cannot be reached is refused with what can', async () => {
  const { file } = await resolveModel('mnist-cnn-s', 'fp32', { baseDir: '.', cacheDir: tmpdir() });
  const { model } = await readModel(file);
  expect(() => percentForShare(model, 0.001, file)).toThrow(
    '0 % of the multiply-adds cannot be reached: with 99 % of the filters gone',
  );
});
