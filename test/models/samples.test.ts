import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeSampleBatches } from '../../src/models/samples.ts';
import type { DatasetRef, DataType, TensorSpec } from '../../src/models/types.ts';
import { idxFile } from './idx-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'dse-samples-'));

/** Five 1x2 samples whose pixels and label tell which sample they are. */
function smallDataset(): DatasetRef {
  const samples = join(folder, 'images.idx');
  const labels = join(folder, 'labels.idx');
  writeFileSync(samples, idxFile([5, 1, 2], [0, 100, 1, 101, 2, 102, 3, 103, 4, 104]));
  writeFileSync(labels, idxFile([5], [0, 1, 2, 3, 4]));
  return { name: 'small', samples, labels, scale: 2, offset: -1 };
}

const image: TensorSpec = { name: 'input', type: 'float32', shape: ['batch', 1, 1, 2] };

test('labelled samples come in a seeded order, every one before any comes again, as pixel * scale + offset', () => {
  const options = { batch: 2, count: 5, seed: 3, dataset: smallDataset() };
  const batches = makeSampleBatches([image], options);
  const labels = batches.flatMap((batch) => batch.labels ?? []);
  expect(labels.slice(0, 5).toSorted()).toEqual([0, 1, 2, 3, 4]);
  expect(labels.slice(5)).toEqual(labels.slice(0, 5));
  const values = batches.flatMap(({ tensors }) => Array.from(tensors[0]?.data ?? [], Number));
  expect(values).toEqual(labels.flatMap((label) => [label * 2 - 1, (100 + label) * 2 - 1]));
  expect(batches[0]?.tensors[0]?.shape).toEqual([2, 1, 1, 2]);
  expect(makeSampleBatches([image], options)).toEqual(batches);
});

test('a dataset that does not fit the model, or lacks labels, is refused by name', () => {
  const dataset = smallDataset();
  const wide: TensorSpec = { ...image, shape: ['batch', 3] };
  expect(() => makeSampleBatches([wide], { batch: 1, count: 1, seed: 1, dataset })).toThrow(
    'samples of "small" are [1, 2], which do not fit the model\'s inputs: input float32 [batch, 3]',
  );
  expect(() => makeSampleBatches([image, image], { batch: 1, count: 1, seed: 1, dataset })).toThrow('do not fit');
  writeFileSync(dataset.labels, idxFile([4], [0, 1, 2, 3]));
  expect(() => makeSampleBatches([image], { batch: 1, count: 1, seed: 1, dataset })).toThrow(
    'the dataset "small" has 5 samples and 4 labels',
  );
});

test('without a dataset inputs are random: floats in [0, 1), bytes over their range, other integers 0 or 1', () => {
  const rangeOf = (type: DataType) => {
    const [sample] = makeSampleBatches([{ name: 'x', type, shape: ['n', 5000] }], { batch: 2, count: 1, seed: 1 });
    const values = Array.from(sample?.tensors[0]?.data as Float32Array, Number);
    expect(sample?.labels).toBeUndefined();
    expect(values).toHaveLength(10_000);
    return [Math.min(...values), Math.max(...values)];
  };
  for (const type of ['float32', 'float64'] as const) {
    const [low = -1, high = 2] = rangeOf(type);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(low).toBeLessThan(0.01);
    expect(high).toBeLessThan(1);
    expect(high).toBeGreaterThan(0.99);
  }
  expect(rangeOf('uint8')).toEqual([0, 255]);
  expect(rangeOf('int8')).toEqual([-128, 127]);
  for (const type of ['bool', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const) {
    expect(rangeOf(type)).toEqual([0, 1]);
  }
  // Bits of 1023/1024, the largest float16 drawn.
  expect(rangeOf('float16')).toEqual([0, 0x3bfe]);
});

test('the same seed gives the same random inputs, another seed others, and no two requests are alike', () => {
  const make = (seed: number) => makeSampleBatches([image], { batch: 3, count: 2, seed });
  expect(make(1)).toEqual(make(1));
  expect(make(1)).not.toEqual(make(2));
  expect(make(1)[0]).not.toEqual(make(1)[1]);
});

test('an open dimension other than the batch needs a size, and is named where it has none', () => {
  const tokens: TensorSpec = { name: 'ids', type: 'int64', shape: ['batch', 'sequence'] };
  const options = { batch: 4, count: 1, seed: 1 };
  expect(() => makeSampleBatches([tokens], options)).toThrow(
    'the input "ids" leaves its dimension "sequence" open, and no size was given for it',
  );
  const [sample] = makeSampleBatches([tokens], { ...options, dims: { sequence: 7 } });
  expect(sample?.tensors[0]?.shape).toEqual([4, 7]);
});

test('a batch that the model does not take, a batch that is none, a giant and a text input are refused', () => {
  const make = (input: TensorSpec, batch: number) => () => makeSampleBatches([input], { batch, count: 1, seed: 1 });
  expect(make({ ...image, shape: [1, 2] }, 8)).toThrow('the input "input" takes batches of 1, not 8');
  expect(make(image, 0)).toThrow('a batch of 0 cannot be made');
  expect(make(image, 1.5)).toThrow('a batch of 1.5 cannot be made');
  expect(make({ ...image, shape: ['n', 2 ** 40] }, 1)).toThrow('is too large to send');
  expect(make({ name: 't', type: 'string', shape: ['n'] }, 1)).toThrow('the input "t" is text');
});

test('labelled samples feed whole numbers, and open dimensions take their size from the samples', () => {
  const dataset = { ...smallDataset(), scale: 1, offset: 0 };
  const tokens: TensorSpec = { name: 'ids', type: 'int64', shape: ['batch', 1, 'sequence'] };
  const [first] = makeSampleBatches([tokens], { batch: 2, count: 1, seed: 3, dataset });
  const labels = first?.labels ?? [];
  expect(first?.tensors[0]?.shape).toEqual([2, 1, 2]);
  expect(first?.tensors[0]?.data).toEqual(
    BigInt64Array.from(
      labels.flatMap((label) => [label, 100 + label]),
      BigInt,
    ),
  );
  expect(() =>
    makeSampleBatches([tokens], { batch: 1, count: 1, seed: 3, dataset: { ...dataset, scale: 0.5 } }),
  ).toThrow('the input "ids" takes whole numbers (int64), which value * 0.5 + 0 does not give');
});
