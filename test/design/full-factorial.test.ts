import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choosePoints } from '../../src/design/choose-points.ts';
import { isExcluded } from '../../src/design/exclusions.ts';
import { idOf } from '../../src/design/factorial.ts';
import { anyLevelCounts, countLevels, productOf, ruleOver, specFromYaml, specOf } from './specs.ts';

test('a full factorial has the product of its levels, all different', () => {
  fc.assert(
    fc.property(anyLevelCounts, (counts) => {
      const { points } = choosePoints(specOf(counts));
      expect(points).toHaveLength(productOf(counts));
      expect(new Set(points.map(({ pointId }) => pointId)).size).toBe(points.length);
    }),
  );
});

test('a full factorial is balanced: every level of a factor occurs equally often', () => {
  fc.assert(
    fc.property(anyLevelCounts, (counts) => {
      const { points } = choosePoints(specOf(counts));
      for (const [factor, count] of Object.entries(counts)) {
        expect([...countLevels(points, factor).values()]).toEqual(Array(count).fill(points.length / count));
      }
    }),
  );
});

test('a point has a level of every factor, fixed ones included', () => {
  const { points } = choosePoints(specOf({ a: 2 }));
  expect(points[0]?.levels).toMatchObject({ a: { name: 'a1' }, model: { name: 'mnist-cnn' }, threads: { value: 1 } });
});

test('no excluded point is run, and no other is left out', () => {
  fc.assert(
    fc.property(anyLevelCounts, (counts) => {
      const rules = ruleOver(counts);
      const all = choosePoints(specOf(counts)).points;
      const { points } = choosePoints(specOf(counts, {}, rules));
      expect(points).toEqual(all.filter(({ levels }) => !isExcluded(levels, rules)));
    }),
  );
});

test('the same combination has the same id whatever order factors are written in, in every design', () => {
  const ids = (spec: Parameters<typeof choosePoints>[0]) => choosePoints(spec).points.map(({ pointId }) => pointId);
  expect(ids(specOf({ b: 2, a: 2 })).sort()).toEqual(ids(specOf({ a: 2, b: 2 })).sort());
  expect(ids(specOf({ a: 3, b: 2 }))).toEqual(expect.arrayContaining(ids(specOf({ a: 2, b: 2 }))));
});

test('a factor has the same id varied or fixed, so that results of both can be joined', () => {
  const varied = specFromYaml('name: a\nfactors: { model: [resnet18, mnist-cnn] }');
  const fixed = specFromYaml('name: b\nfixed: { model: resnet18 }');
  expect(choosePoints(varied).points[0]?.pointId).toBe(choosePoints(fixed).points[0]?.pointId);
});

test('another meaning under the same name is another point, and so is another name', () => {
  const id = (name: string, value: unknown) => idOf({ load: { name, value } });
  expect(id('high', { kind: 'rate', rateRps: 5 })).not.toBe(id('high', { kind: 'rate', rateRps: 6 }));
  expect(id('high', 1)).not.toBe(id('higher', 1));
  expect(id('high', 1)).toMatch(/^[0-9a-f]{12}$/);
});

test('a factorial that nobody can run is refused with a way out', () => {
  expect(() => choosePoints(specOf({ a: 100, b: 100, c: 100 }))).toThrowErrorMatchingInlineSnapshot(`
    [DesignError: a.yaml  the full factorial has 1000000 points, more than 100000
      Take a subset, e.g. design: { method: latin-hypercube, points: 200 }, or remove levels.]
  `);
});
