import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choosePoints } from '../../src/design/choose-points.ts';
import { countSurvivors, isExcluded } from '../../src/design/exclusions.ts';
import { anyLevelCounts, anySeed, countLevels, productOf, ruleOver, specOf } from './specs.ts';

/** Levels of factors, and a number of points that the grid without the rule's points has. */
const anySubset = fc
  .tuple(anyLevelCounts, fc.double({ min: 0, max: 1, noNaN: true }), anySeed)
  .map(([counts, share, seed]) => {
    const exclude = ruleOver(counts);
    const available = countSurvivors(specOf(counts, {}, exclude));
    return { counts, seed, exclude, available, points: Math.max(1, Math.round(share * available)) };
  });

test('a random subset has as many different points as asked, none of them excluded', () => {
  fc.assert(
    fc.property(anySubset, ({ counts, seed, points, exclude }) => {
      const chosen = choosePoints(specOf(counts, { method: 'random', points, seed }, exclude)).points;
      expect(new Set(chosen.map(({ pointId }) => pointId)).size).toBe(points);
      expect(chosen.some(({ levels }) => isExcluded(levels, exclude))).toBe(false);
    }),
  );
});

test('a random subset is drawn from a grid too large to hold', () => {
  const counts = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`f${at}`, 10]));
  const { points } = choosePoints(specOf(counts, { method: 'random', points: 50 }));
  expect(new Set(points.map(({ pointId }) => pointId)).size).toBe(50);
});

test('every point is equally likely in a random subset', () => {
  const hits = new Map<string, number>();
  for (let seed = 0; seed < 3000; seed++) {
    for (const { pointId } of choosePoints(specOf({ a: 3, b: 2 }, { method: 'random', points: 2, seed })).points) {
      hits.set(pointId, (hits.get(pointId) ?? 0) + 1);
    }
  }
  // 1000 expected of each; the binomial standard deviation is 26.
  expect(hits.size).toBe(6);
  for (const count of hits.values()) expect(Math.abs(count - 1000)).toBeLessThan(110);
});

test('a Latin hypercube has different, allowed points in which each level of a factor occurs equally often to within one', () => {
  fc.assert(
    fc.property(anyLevelCounts, fc.double({ min: 0, max: 1, noNaN: true }), anySeed, (counts, share, seed) => {
      const points = Math.max(1, Math.round(share * productOf(counts)));
      const chosen = choosePoints(specOf(counts, { method: 'latin-hypercube', points, seed })).points;
      expect(new Set(chosen.map(({ pointId }) => pointId)).size).toBe(points);
      for (const [factor, levelCount] of Object.entries(counts)) {
        const occurrences = [...countLevels(chosen, factor).values()];
        while (occurrences.length < levelCount) occurrences.push(0);
        expect(Math.max(...occurrences) - Math.min(...occurrences)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('a Latin hypercube keeps its balance around exclusions', () => {
  const counts = { a: 4, b: 4, c: 3 };
  const exclude = [{ when: { a: ['a1'], b: ['b1', 'b2'] }, why: 'test' }];
  for (let seed = 0; seed < 20; seed++) {
    const { points } = choosePoints(specOf(counts, { method: 'latin-hypercube', points: 12, seed }, exclude));
    expect(points.some(({ levels }) => isExcluded(levels, exclude))).toBe(false);
    expect([...countLevels(points, 'a').values()]).toEqual([3, 3, 3, 3]);
    expect([...countLevels(points, 'b').values()]).toEqual([3, 3, 3, 3]);
    expect([...countLevels(points, 'c').values()]).toEqual([4, 4, 4]);
  }
});

test('more points than there are is refused with the number there is', () => {
  const exclude = [{ when: { a: ['a1'] }, why: 'test' }];
  const ask = (method: 'random' | 'latin-hypercube') => () =>
    choosePoints(specOf({ a: 2, b: 3 }, { method, points: 4 }, exclude));
  expect(ask('random')).toThrowErrorMatchingInlineSnapshot(`
    [DesignError: a.yaml  design.points is 4, but the factors and exclusions leave 3 combinations
      Lower "points" to at most 3, or take method: full-factorial.]
  `);
  expect(ask('latin-hypercube')).toThrowErrorMatchingInlineSnapshot(`
    [DesignError: a.yaml  design.points is 4, but the factors and exclusions leave 3 combinations
      Lower "points" to at most 3, or take method: full-factorial.]
  `);
});

test('exclusions that no balanced set can avoid are refused with a way out', () => {
  const exclude = [{ when: { a: ['a1'] }, why: 'test' }];
  expect(() =>
    choosePoints(specOf({ a: 2, b: 3 }, { method: 'latin-hypercube', points: 3 }, exclude)),
  ).toThrowErrorMatchingInlineSnapshot(`
    [DesignError: a.yaml  no set of 3 points was found that is balanced in every factor and avoids the exclusions
      Change "points", drop an exclusion, or take method: random, which does not balance.]
  `);
});

test('survivors are counted without walking the factors that no rule names', () => {
  const counts = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`f${at}`, 10]));
  expect(countSurvivors(specOf(counts, {}, [{ when: { f3: ['f31'] }, why: 'test' }]))).toBe(9e11);
});
