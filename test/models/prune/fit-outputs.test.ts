import { expect, test } from 'vitest';
import { resolveModel } from '../../../src/models/index.ts';
import { type OnnxModel, writeOnnx } from '../../../src/models/onnx-file.ts';
import { planFilters, removeFilters } from '../../../src/models/prune/filters.ts';
import { fitOutputs } from '../../../src/models/prune/fit-outputs.ts';
import { correctLayer } from '../../../src/models/prune/layer-weights.ts';
import { LeastSquares } from '../../../src/models/prune/least-squares.ts';
import { outputsOf, squaredDistance } from '../../../src/models/prune/output-loss.ts';
import { type ItemValues, slopesOver } from '../../../src/models/prune/slopes.ts';
import { normalize } from '../../../src/models/rewrite/normalize.ts';
import { readModel } from '../../../src/models/rewrite/read-model.ts';
import { openRunner } from '../../../src/models/runner.ts';
import { inputSpecs } from '../../../src/models/tensor-specs.ts';
import type { NamedTensor } from '../../../src/models/types.ts';
import { calibrationOf } from '../../../src/models/variants/variant-file.ts';
import { createRng } from '../../../src/rng.ts';
import { copyOf } from '../run-model.ts';

async function open(name: string) {
  const { file, dataset } = await resolveModel(name, 'fp32', { baseDir: '.', cacheDir: '.' });
  const { model } = await readModel(file);
  normalize(model, file);
  return { model, file, set: calibrationOf(model, inputSpecs(model.graph, file), dataset, undefined) };
}

/** The first items of a batch. */
function headOf(batch: readonly NamedTensor[], items: number): NamedTensor[] {
  return batch.map((tensor) => {
    const [all = 1, ...sizes] = tensor.shape;
    const data = (tensor.data as Float32Array).slice(0, (tensor.data.length / all) * items);
    return { ...tensor, shape: [items, ...sizes], data };
  });
}

async function valuesOf(model: OnnxModel, batch: readonly NamedTensor[]): Promise<ItemValues> {
  await using runner = await openRunner(
    model,
    'model',
    model.graph.node.flatMap(({ output }) => output),
  );
  const values = new Map([...batch.map((tensor) => [tensor.name, tensor] as const), ...(await runner.run(batch))]);
  return {
    valueOf: (name) => values.get(name)?.data as Float32Array,
    shapeOf: (name) => values.get(name)?.shape ?? [],
  };
}

// Between them: convolutions with and without groups, maxima, additions, means, products and ReLUs.
test.each(['mnist-cnn-s', 'mnist-resnet-s', 'mnist-mobilenet-s'])(
  'slopes of the outputs of %s are the change that a small shift of a filter makes',
  async (name) => {
    const { model, set } = await open(name);
    const batch = headOf(set.batches[0] ?? [], 1);
    const item = await valuesOf(model, batch);
    const [output = ''] = model.graph.output.map((each) => each.name);
    const layers = model.graph.node.filter(({ opType }) => opType === 'Conv');
    for (const layer of [layers[0], layers[Math.floor(layers.length / 2)], layers.at(-1)]) {
      const [value = ''] = layer?.output ?? [];
      const slopes = slopesOver(model.graph, value, output, item)?.(item) ?? new Float64Array();
      const [, filters = 0, ...spatial] = item.shapeOf(value);
      const places = spatial.reduce((product, size) => product * size, 1);
      const shift = 1e-3;
      const size = (layer?.input[1] && weightsPerFilter(model, layer.input[1])) || 0;
      const shifted = copyOf(model);
      const own = shifted.graph.node.find((node) => node.output[0] === value);
      const corrections = Array.from({ length: filters }, (_, filter) => {
        const correction = new Float64Array(size + 1);
        if (filter === 1) correction[size] = shift;
        return correction;
      });
      if (own !== undefined) correctLayer(shifted, own, corrections);
      const [before, after] = [item.valueOf(output), (await valuesOf(shifted, batch)).valueOf(output)];
      const width = before.length;
      const found = Array.from({ length: width }, (_, at) => ((after[at] ?? 0) - (before[at] ?? 0)) / shift);
      const expected = found.map((_, at) => {
        let sum = 0;
        for (let place = 0; place < places; place++) sum += slopes[(places + place) * width + at] ?? Number.NaN;
        return sum;
      });
      const length = Math.sqrt(
        squaredDistance(
          expected,
          expected.map(() => 0),
        ),
      );
      expect(length).toBeGreaterThan(0.01);
      expect(Math.sqrt(squaredDistance(expected, found))).toBeLessThan(0.03 * length);
    }
  },
);

function weightsPerFilter({ graph }: OnnxModel, name: string): number {
  const [, ...sizes] = graph.initializer.find((tensor) => tensor.name === name)?.dims.map(Number) ?? [];
  return sizes.reduce((product, size) => product * size, 1);
}

test('a value whose way to the output leads through an operator without a rule has no slopes', async () => {
  const { model, set } = await open('mnist-cnn-s');
  const relu = model.graph.node.findLast(({ opType }) => opType === 'Relu');
  if (relu !== undefined) relu.opType = 'Sigmoid';
  const item = await valuesOf(model, headOf(set.batches[0] ?? [], 1));
  const [first = ''] = model.graph.node[0]?.output ?? [];
  expect(slopesOver(model.graph, first, model.graph.output[0]?.name ?? '', item)).toBeUndefined();
});

test('many rows at once make the same equations as one after the other', () => {
  const rng = createRng(6);
  const rows = Array.from({ length: 10 }, () =>
    Float64Array.from({ length: 4 }, (_, at) => (at === 2 ? 0 : rng.normal())),
  );
  const targets = rows.map((row) => 2 * (row[0] ?? 0) - (row[3] ?? 0));
  const [single, many] = [new LeastSquares(4, 1), new LeastSquares(4, 1)];
  for (const [index, row] of rows.entries()) single.add(row, [targets[index] ?? 0]);
  many.addMany(rows, targets);
  const found = many.solve(1e-9);
  for (const [index, value] of single.solve(1e-9).entries()) expect(found[index]).toBeCloseTo(value, 9);
  expect(found[0]).toBeCloseTo(2, 6);
});

const bytesOf = (model: OnnxModel) => Buffer.from(writeOnnx(model)).toString('base64');

test('fitting the outputs brings a pruned model nearer to its parent on samples that it was not fitted to', async () => {
  const { model: parent, file, set } = await open('mnist-cnn-s');
  const plan = planFilters(parent, 0.3, file);
  const pruned = copyOf(parent);
  removeFilters(pruned, plan, file);
  const few = { ...set, batches: set.batches.slice(0, 5).map((batch) => headOf(batch, 5)) };
  const others = { ...set, batches: set.batches.slice(5, 7) };
  const [wanted = []] = await outputsOf(parent, others, file);
  const errorOf = async (model: OnnxModel) => {
    const [found = []] = await outputsOf(model, others, file);
    return wanted.reduce((sum, row, index) => sum + squaredDistance(row, found[index] ?? []), 0);
  };
  const before = await errorOf(pruned);
  const [tooLarge, near] = [copyOf(pruned), copyOf(parent)];
  expect(await fitOutputs(parent, tooLarge, plan, few, 1e9, file)).toBe(0);
  expect(bytesOf(tooLarge)).toEqual(bytesOf(pruned));
  // The parent itself has lost nothing.
  expect(await fitOutputs(parent, near, plan, few, 1e5, file)).toBe(0);
  expect(bytesOf(near)).toEqual(bytesOf(parent));
  expect(await fitOutputs(parent, pruned, plan, few, 1e5, file)).toBeGreaterThan(1);
  expect(await errorOf(pruned)).toBeLessThan(0.8 * before);
});
