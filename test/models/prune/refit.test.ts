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

test('refitting brings the pruned model far closer to its parent than cutting alone', async () => {
  const { file, dataset } = await resolveModel('mnist-cnn', 'fp32', folders);
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

test('30 % of the filters cost at most 1 point of accuracy, on their own and with int8 after them', async () => {
  const base = await resolveModel('mnist-cnn', 'fp32', folders);
  for (const variant of ['pruned-30', 'pruned-30+int8-static']) {
    const model = await resolveModel('mnist-cnn', variant, folders);
    const { againstBase } = await evaluateModel(model, base, { data: undefined, labels: undefined });
    expect(againstBase?.difference).toBeGreaterThanOrEqual(-0.01);
    expect((model.macs ?? 0) / (base.macs ?? 1)).toBeLessThan(0.85);
    expect(model.lineage?.steps.map(({ step }) => step)).toEqual(
      variant.split('+').map((step) => step.replace('-30', '')),
    );
  }
});
