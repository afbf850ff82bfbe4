import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { countCorrect } from '../../src/models/scoring.ts';
import type { NamedTensor } from '../../src/models/types.ts';

function scores(...rows: readonly (readonly number[])[]): NamedTensor {
  const shape = [rows.length, rows[0]?.length ?? 0];
  return { name: 'logits', type: 'float32', shape, data: Float32Array.from(rows.flat()) };
}

test('an item counts where its label is among the k highest scores', () => {
  const output = scores([0.1, 0.7, 0.2], [0.5, 0.2, 0.3]);
  expect(countCorrect(output, [1, 0], 1)).toBe(2);
  expect(countCorrect(output, [2, 2], 1)).toBe(0);
  expect(countCorrect(output, [2, 2], 2)).toBe(2);
  expect(countCorrect(output, [0, 1], 2)).toBe(0);
});

test('of equal scores the lowest index ranks first', () => {
  const output = scores([1, 1, 1]);
  expect([0, 1, 2].map((label) => countCorrect(output, [label], 1))).toEqual([1, 0, 0]);
  expect([0, 1, 2].map((label) => countCorrect(output, [label], 2))).toEqual([1, 1, 0]);
});

test('a score that is not a number is never right and never stands in the way', () => {
  const nan = Number.NaN;
  expect(countCorrect(scores([nan, nan, nan]), [0], 5)).toBe(0);
  expect(countCorrect(scores([nan, 1, 0]), [1], 1)).toBe(1);
  expect(countCorrect(scores([Number.NEGATIVE_INFINITY, nan]), [0], 1)).toBe(1);
});

test('float16 scores are read from their bits, and integers of 64 bits compared as they are', () => {
  // -2, 0.5, 65504 and the smallest subnormal
  const half: NamedTensor = {
    name: 'y',
    type: 'float16',
    shape: [1, 4],
    data: Uint16Array.of(0xc000, 0x3800, 0x7bff, 1),
  };
  expect([0, 1, 2, 3].map((label) => [1, 2, 3, 4].findIndex((k) => countCorrect(half, [label], k) === 1))).toEqual([
    3, 1, 0, 2,
  ]);
  const long: NamedTensor = {
    name: 'y',
    type: 'int64',
    shape: [1, 2],
    data: BigInt64Array.of(2n ** 60n, 2n ** 60n + 1n),
  };
  expect(countCorrect(long, [1], 1)).toBe(1);
});

test('top-k is the place of the label in a sorted list of scores', () => {
  const rows = fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 6, maxLength: 6 }), { minLength: 1 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 6 }), (values, label, k) => {
      const best = (row: readonly number[]) =>
        [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b).slice(0, k);
      const expected = values.filter((row) => best(row).includes(label)).length;
      expect(
        countCorrect(
          scores(...values),
          values.map(() => label),
          k,
        ),
      ).toBe(expected);
    }),
  );
});

test('an output that holds no scores for the labels is refused', () => {
  expect(() => countCorrect(scores([1, 2]), [0, 1], 1)).toThrow(ModelError);
  expect(() => countCorrect(scores([1, 2]), [0, 1], 1)).toThrow('is no list of scores for 2 labelled items');
  expect(() => countCorrect(scores([1, 2]), [2], 1)).toThrow('the output "logits" (float32 [1, 2]) has no class 2');
  const text: NamedTensor = { name: 'y', type: 'string', shape: [1, 1], data: ['a'] };
  expect(() => countCorrect(text, [0], 1)).toThrow('is no list of scores');
});
