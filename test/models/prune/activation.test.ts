import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluateModel, resolveModel } from '../../../src/models/index.ts';
import { ReaderElimination } from '../../../src/models/prune/elimination.ts';
import { blockOf, groupLayers, planFilters } from '../../../src/models/prune/filters.ts';
import { LeastSquares } from '../../../src/models/prune/least-squares.ts';
import { planner } from '../../../src/models/prune/plan.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { readModel } from '../../../src/models/rewrite/read-model.ts';
import { calibrationOf } from '../../../src/models/variants/variant-file.ts';
import { createRng } from '../../../src/rng.ts';

const folders = { baseDir: '.', cacheDir: mkdtempSync(join(tmpdir(), 'dse-activation-')) };

/** Rows of four inputs and a 1: the second is the first plus a little noise, the others are their own. */
function correlatedRows(): number[][] {
  const rng = createRng(4);
  return Array.from({ length: 400 }, () => {
    const [a, b, c, noise] = [rng.normal(), rng.normal(), rng.normal(), rng.normal()];
    return [a, a + 0.1 * noise, b, c, 1];
  });
}

/** Mean squared error of the best fit of the outputs on the inputs left, over their variance: worked out by a regression of its own. */
function errorByRegression(rows: number[][], weights: number[], gone: number[]): number {
  const targets = rows.map((row) => row.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0));
  const left = [0, 1, 2, 3, 4].filter((index) => !gone.includes(index));
  const equations = new LeastSquares(left.length, 1);
  for (const [at, row] of rows.entries())
    equations.add(
      left.map((index) => row[index] ?? 0),
      [targets[at] ?? 0],
    );
  const fit = equations.solve(1e-12);
  const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length;
  const residual = rows.map(
    (row, at) => (targets[at] ?? 0) - left.reduce((sum, index, k) => sum + (row[index] ?? 0) * (fit[k] ?? 0), 0),
  );
  const squares = (values: number[]) => values.reduce((sum, value) => sum + value * value, 0);
  return squares(residual) / squares(targets.map((value) => value - mean));
}

test('the error of removing inputs is that of the best fit without them, one after the other and together', () => {
  const rows = correlatedRows();
  const weights = [2, 0.5, 1, -0.3, 0.7];
  const equations = new LeastSquares(5, 0);
  for (const row of rows) equations.add(row, []);
  const gram = equations.ridgedGram(1e-9);
  for (const gone of [[0], [1], [2], [3], [0, 2], [1, 2, 3]]) {
    const elimination = new ReaderElimination(gram, Float64Array.from(weights), 1);
    expect(elimination.errorWithout(gone)).toBeCloseTo(errorByRegression(rows, weights, gone), 5);
  }
  const elimination = new ReaderElimination(gram, Float64Array.from(weights), 1);
  const first = elimination.errorWithout([0]);
  // The largest weight by far, and the cheapest to lose: its neighbour says nearly the same.
  expect(first).toBeLessThan(elimination.errorWithout([3]));
  elimination.remove([0]);
  expect(first + elimination.errorWithout([1])).toBeCloseTo(errorByRegression(rows, weights, [0, 1]), 5);
  expect(elimination.errorWithout([0])).toBeCloseTo(0, 9);
});

test('a larger share removes all that a smaller one does, and every layer keeps a filter', async () => {
  const { file, inputs, dataset } = await resolveModel('mnist-cnn-m', 'fp32', folders);
  const { model } = await readModel(file);
  normalize(model, file);
  const whole = calibrationOf(model, inputs, dataset, undefined);
  const set = { ...whole, batches: whole.batches.slice(0, 2) };
  const { plan } = await planner(model, set, 'activation', file);
  const layers = groupLayers(plan(0.3).channels);
  const filters = layers.reduce((sum, { channels, makers }) => sum + channels.length * makers, 0);
  let smaller: ReadonlySet<number> = new Set();
  for (const share of [0.1, 0.3, 0.5, 0.7, 0.99]) {
    const { removed } = plan(share);
    expect([...smaller].every((channel) => removed.has(channel))).toBe(true);
    let gone = 0;
    for (const layer of layers) {
      const kept = layer.channels.filter((channel) => !removed.has(channel)).length;
      expect(kept).toBeGreaterThanOrEqual(Math.min(blockOf(layer), layer.channels.length));
      expect(kept === layer.channels.length || kept % blockOf(layer) === 0).toBe(true);
      gone += (layer.channels.length - kept) * layer.makers;
    }
    if (share < 0.9) expect(Math.abs(gone / filters - share)).toBeLessThan(0.04);
    smaller = removed;
  }
});

test('filters go in blocks where a layer is large enough for a choice of them', () => {
  const layerOf = (count: number, isDepthwise: boolean) => ({
    channels: [...Array(count).keys()],
    makers: 1,
    isDepthwise,
  });
  expect([63, 64].map((count) => blockOf(layerOf(count, false)))).toEqual([1, 4]);
  expect([7, 8, 95, 96].map((count) => blockOf(layerOf(count, true)))).toEqual([1, 4, 4, 16]);
});

test('without real samples filters go by norm, and so they do where that is asked', async () => {
  const { file, inputs, dataset } = await resolveModel('mnist-cnn-s', 'fp32', folders);
  const { model } = await readModel(file);
  normalize(model, file);
  const own = calibrationOf(model, inputs, dataset, undefined);
  const random = calibrationOf(model, inputs, undefined, undefined);
  const expected = [...planFilters(model, 0.3, file).removed];
  for (const [set, asked] of [
    [random, 'activation'],
    [own, 'norm'],
  ] as const) {
    const { by, plan } = await planner(model, set, asked, file);
    expect(by).toBe('norm');
    expect([...plan(0.3).removed]).toEqual(expected);
  }
});

// On the shipped 1,000 images; the README of experiments/mnist-families has all nine.
test.each(['cnn-s'])(
  'three tenths of the filters of mnist-%s cost at most a point, and by norm they cost more or the same',
  async (name) => {
    const base = await resolveModel(`mnist-${name}`, 'fp32', folders);
    const lossOf = async (variant: string) => {
      const model = await resolveModel(`mnist-${name}`, variant, folders);
      const { againstBase } = await evaluateModel(model, base, { data: undefined, labels: undefined });
      return { loss: -(againstBase?.difference ?? Number.NaN), step: model.lineage?.steps.at(-1) };
    };
    const [own, norm] = [await lossOf('pruned-30'), await lossOf('pruned-30-norm')];
    expect(own.loss).toBeLessThanOrEqual(0.01);
    expect(norm.loss).toBeGreaterThanOrEqual(own.loss);
    expect([own.step?.by, norm.step?.by]).toEqual(['activation', 'norm']);
  },
);
