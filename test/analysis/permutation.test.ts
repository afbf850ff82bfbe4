import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyzeTable, type CellValue, tableFromRecords } from '../../src/analysis/index.ts';
import { createOrders } from '../../src/analysis/orders.ts';
import { createRng } from '../../src/rng.ts';

function testsOf(records: readonly Readonly<Record<string, CellValue>>[], factors: readonly string[]) {
  const [found] = analyzeTable(tableFromRecords(records, factors), {
    factors,
    objectives: [{ response: 'y', direction: 'minimize' }],
    contexts: [],
    responses: ['y'],
  }).effects;
  if (found === undefined || 'reason' in found.outcome) throw new Error(`no effects: ${JSON.stringify(found)}`);
  return new Map(found.outcome.tests.map(({ term, p, permutation }) => [term.name, { p, permutation }]));
}

/** Two levels in three blocks, the second larger by these differences. */
const pairs = (differences: readonly number[]) =>
  differences.flatMap((difference, block) => [
    { a: 'one', block, y: 10 * block },
    { a: 'two', block, y: 10 * block + difference },
  ]);

describe('two levels in three blocks, by hand', () => {
  // Residuals of the differences are -1, 2, -1. Their signs in all 8 orders give means 0, 0, +-2/3 (twice) and +-4/3, that is F = 0, 4/7 and 16: paired t squared, 3 mean^2 / variance.
  test('differences 4, 7, 4: F = 25 is above all of them; the order observed and its mirror image are 2 of 8', () => {
    const { p, permutation } = testsOf(pairs([4, 7, 4]), ['a']).get('a') ?? {};
    expect(permutation).toEqual({ p: 2 / 8, times: 7 });
    // The F test, which knows that errors are normal, may say less than 1 in 8.
    expect(p).toBeCloseTo(0.0377, 4);
  });

  test('differences 3, 6, 3: F = 16 comes up twice more', () => {
    expect(testsOf(pairs([3, 6, 3]), ['a']).get('a')?.permutation).toEqual({ p: 4 / 8, times: 7 });
  });
});

test('three replicates of two levels without blocks have 20 orders, of which two are told from no other by F', () => {
  const records = [1, 2, 3.5, 101, 102, 103.5].map((y, at) => ({ a: at < 3 ? 'one' : 'two', y }));
  expect(testsOf(records, ['a']).get('a')?.permutation).toEqual({ p: 2 / 20, times: 19 });
});

test('launches and the trials within them have orders of their own: 8 and 64 of three blocks of two servers at two loads', () => {
  const own = [0.3, -0.2, 0.4, 0.1, -0.5, 0.2, -0.1, 0.3, 0.2, -0.4, 0.1, -0.3];
  const records = pairs([40, 70, 40]).flatMap(({ a, block, y }, launch) =>
    ['low', 'high'].map((load, at) => ({
      ...{ a, block, load, launch: `${launch}` },
      y: y + 100 * at + (own[2 * launch + at] as number),
    })),
  );
  const found = testsOf(records, ['a', 'load']);
  expect(found.get('a')?.permutation).toEqual({ p: 2 / 8, times: 7 });
  // Turned around in every launch, the loads have other names only.
  expect(found.get('load')?.permutation).toEqual({ p: 2 / 64, times: 63 });
  expect(found.get('load')?.p).toBeLessThan(1e-6);
});

test('where no two launches of a block differ, nothing is exchanged, and the file says so', () => {
  const records = [1, 2].flatMap((launch) =>
    ['low', 'mid', 'high'].map((load, at) => ({ load, block: launch, launch, y: at + launch * (1 + 0.1 * at) })),
  );
  const found = testsOf(records, ['load']);
  expect(found.get('block')?.permutation).toBeUndefined();
  expect(found.get('load')?.permutation).toMatchObject({ times: 35 });
});

test('orders that are few come once each, without that observed', () => {
  const groups = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 4 }), { maxLength: 3 });
  fc.assert(
    fc.property(groups, (labelsByGroup) => {
      const labels = Int32Array.from(labelsByGroup.flat());
      let start = 0;
      const places = labelsByGroup.map(({ length }) => {
        start += length;
        return Int32Array.from({ length }, (_, at) => start - length + at);
      });
      const { count, next } = createOrders(places, labels, 1e6, createRng(1));
      // What tells two orders apart: which values come to which label of a group.
      const tell = (order: Int32Array) =>
        JSON.stringify(
          places.map((group) =>
            [0, 1, 2].map((label) =>
              [...group.filter((place) => labels[place] === label)].map((place) => order[place] as number).toSorted(),
            ),
          ),
        );
      const seen = new Set([tell(labels.map((_, place) => place))]);
      for (let step = 0; step < count; step++) {
        const order = next();
        expect([...order].toSorted((a, b) => a - b)).toEqual([...labels.keys()]);
        seen.add(tell(order));
      }
      expect(seen.size).toBe(count + 1);
      const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
      const expected = labelsByGroup.reduce(
        (product, group) =>
          [0, 1, 2].reduce((rest, label) => rest / factorial(group.filter((one) => one === label).length), product) *
          factorial(group.length),
        1,
      );
      expect(count + 1).toBeCloseTo(expected, 6);
    }),
    { numRuns: 60 },
  );
});

test('orders that are many come at random within their groups', () => {
  const group = Int32Array.from({ length: 12 }, (_, place) => place);
  const { count, next } = createOrders([group], group, 99, createRng(1));
  expect(count).toBe(99);
  expect(new Set(Array.from({ length: count }, () => next().join())).size).toBe(99);
});
