import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluateModel, resolveModel } from '../../../src/models/index.ts';
import { planFilters, removeFilters } from '../../../src/models/prune/filters.ts';
import { LeastSquares } from '../../../src/models/prune/least-squares.ts';
import { refit } from '../../../src/models/prune/refit.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { readModel } from '../../../src/models/rewrite/read-model.ts';
import { inputSpecs } from '../../../src/models/tensor-specs.ts';
import { fileCalibration } from '../../../src/models/variants/calibration-set.ts';
import { createRng } from '../../../src/rng.ts';
import { answer, copyOf } from '../run-model.ts';

const folders = { baseDir: '.', cacheDir: mkdtempSync(join(tmpdir(), 'dse-refit-')) };

test('least squares find the coefficients that made the data', () => {
  const rng = createRng(3);
  const truth = Array.from({ length: 5 }, () => [rng.normal(), rng.normal()]);
  const equations = new LeastSquares(5, 2);
  for (let row = 0; row < 200; row++) {
    const x = Array.from({ length: 5 }, () => rng.normal());
    equations.add(
      x,
      [0, 1].map((column) => x.reduce((sum, value, index) => sum + value * (truth[index]?.[column] ?? 0), 0)),
    );
  }
  const found = equations.solve(1e-9);
  for (const [index, value] of truth.flat().entries()) expect(found[index]).toBeCloseTo(value, 6);
});

test('an input that is never there gets no coefficient, and no rows at all give zeros', () => {
  const equations = new LeastSquares(2, 1);
  equations.add([1, 0], [2]);
  expect(equations.solve(1e-6)[1]).toBe(0);
  expect([...new LeastSquares(2, 1).solve(1e-2)]).toEqual([0, 0]);
});

test('equations of the same rows and other outputs have the solution of their own', () => {
  const rng = createRng(5);
  const rows = Array.from({ length: 40 }, () => Array.from({ length: 3 }, () => rng.normal()));
  const fill = (equations: LeastSquares, factor: number) => {
    for (const row of rows) equations.add(row, [factor * (row[0] ?? 0) - (row[2] ?? 0)]);
    return [...equations.solve(1e-3)];
  };
  const first = new LeastSquares(3, 1);
  fill(first, 1);
  const again = fill(new LeastSquares(3, 1, first), 5);
  expect(again).toEqual(fill(new LeastSquares(3, 1), 5));
  expect(again[0]).toBeCloseTo(5, 1);
  // More rows are another X'X, and another factor of it.
  first.add([10, 0, 0], [70]);
  expect(first.solve(1e-3)[0]).toBeGreaterThan(4);
});

test('refitting brings the pruned model far closer to its parent than cutting alone', async () => {
  const { file, dataset } = await resolveModel('mnist-cnn-s', 'fp32', folders);
  const { model: parent } = await readModel(file);
  normalize(parent, file);
  const inputs = inputSpecs(parent.graph, file);
  const set = fileCalibration(inputs, {
    file: dataset?.calibration ?? '',
    scale: dataset?.scale ?? 1,
    offset: dataset?.offset ?? 0,
  });
  const plan = planFilters(parent, 0.3, file);
  const cut = copyOf(parent);
  removeFilters(cut, planFilters(cut, 0.3, file), file);
  const fitted = copyOf(cut);
  expect(await refit(parent, fitted, plan, set, file)).toEqual({ refitted: 3, skipped: 0, normalizations: 0 });
  const errorOf = async (model: typeof parent) => {
    const [batch = []] = set.batches;
    const [expected, found] = [await answer(parent, batch), await answer(model, batch)];
    return expected.reduce((sum, value, index) => sum + (value - (found[index] ?? 0)) ** 2, 0);
  };
  expect(await errorOf(fitted)).toBeLessThan(0.1 * (await errorOf(cut)));
});

test('30 % of the filters cost at most 1 point of accuracy with int8 after them', async () => {
  const base = await resolveModel('mnist-cnn-s', 'fp32', folders);
  const model = await resolveModel('mnist-cnn-s', 'pruned-30+int8-static', folders);
  const { againstBase } = await evaluateModel(model, base, { data: undefined, labels: undefined });
  expect(againstBase?.difference).toBeGreaterThanOrEqual(-0.01);
  expect((model.macs ?? 0) / (base.macs ?? 1)).toBeLessThan(0.85);
  expect(model.lineage?.steps.map(({ step }) => step)).toEqual(['fold-batch-norm', 'pruned', 'int8-static']);
});
