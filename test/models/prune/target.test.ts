import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { countCost } from '../../../src/models/cost.ts';
import { resolveModel } from '../../../src/models/index.ts';
import { removeFilters } from '../../../src/models/prune/filters.ts';
import { type Criterion, planner } from '../../../src/models/prune/plan.ts';
import { percentForShare } from '../../../src/models/prune/target.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { readModel } from '../../../src/models/rewrite/read-model.ts';
import { calibrationOf } from '../../../src/models/variants/variant-file.ts';

async function prepared(name: string, by: Criterion) {
  const { file, inputs, dataset } = await resolveModel(name, 'fp32', { baseDir: '.', cacheDir: tmpdir() });
  const { model } = await readModel(file);
  normalize(model, file);
  const set = calibrationOf(model, inputs, dataset, undefined);
  const planned = await planner(model, { ...set, batches: set.batches.slice(0, 2) }, by, file);
  expect(planned.by).toBe(by);
  return { model, file, plan: planned.plan };
}

test.each([
  ['norm', 0.7],
  ['norm', 0.5],
  ['norm', 0.25],
  ['activation', 0.5],
] as const)(
  'the percentage found by %s leaves at most %d of the multiply-adds, and one less leaves more',
  async (by, share) => {
    const { model, file, plan } = await prepared(by === 'norm' ? 'mnist-mobilenet-m' : 'mnist-cnn-m', by);
    const shareAfter = (percent: number) => {
      const pruned = structuredClone(model);
      removeFilters(pruned, plan(percent / 100), file);
      return (countCost(pruned, file).macs ?? 0) / (countCost(model, file).macs ?? 0);
    };
    const percent = percentForShare(model, plan, share, file);
    expect(shareAfter(percent)).toBeLessThanOrEqual(share);
    expect(shareAfter(percent - 1)).toBeGreaterThan(share);
  },
);

test('a share that cannot be reached is refused with what can', async () => {
  const { model, file, plan } = await prepared('mnist-cnn-s', 'norm');
  expect(() => percentForShare(model, plan, 0.001, file)).toThrow(
    '0 % of the multiply-adds cannot be reached: with 99 % of the filters gone',
  );
});
