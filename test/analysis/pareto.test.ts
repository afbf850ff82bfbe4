import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findFront } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';

type Direction = 'minimize' | 'maximize';

/** Points by rows, as a reader writes them, turned into the columns that `findFront` takes. */
function frontOf(points: readonly (readonly number[])[], directions: readonly Direction[]): number[] {
  return [
    ...findFront(
      directions.map((direction, objective) => ({
        direction,
        values: Float64Array.from(points, (point) => point[objective] as number),
      })),
    ),
  ];
}

function dominates(a: readonly number[], b: readonly number[], directions: readonly Direction[]): boolean {
  const gains = directions.map((direction, index) => {
    const gain = (b[index] as number) - (a[index] as number);
    return direction === 'minimize' ? gain : -gain;
  });
  return gains.every((gain) => gain >= 0) && gains.some((gain) => gain > 0);
}

/** Points on a small grid, so that ties and equal points are common. */
const cases = fc.integer({ min: 1, max: 5 }).chain((objectives) =>
  fc.record({
    directions: fc.array(fc.constantFrom<Direction>('minimize', 'maximize'), {
      minLength: objectives,
      maxLength: objectives,
    }),
    points: fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: objectives, maxLength: objectives }), {
      maxLength: 60,
    }),
  }),
);

test('a point is on the front exactly if no other point dominates it', () => {
  fc.assert(
    fc.property(cases, ({ points, directions }) => {
      const expected = points.map((point) => (points.some((other) => dominates(other, point, directions)) ? 0 : 1));
      expect(frontOf(points, directions)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('every point off the front is dominated by a point on it', () => {
  fc.assert(
    fc.property(cases, ({ points, directions }) => {
      const marks = frontOf(points, directions);
      const front = points.filter((_, index) => marks[index] === 1);
      for (const [index, point] of points.entries()) {
        if (marks[index] === 0) expect(front.some((other) => dominates(other, point, directions))).toBe(true);
      }
    }),
  );
});

test('the front does not change under monotone rescaling or a change of order', () => {
  fc.assert(
    fc.property(cases, fc.infiniteStream(fc.nat()), ({ points, directions }, keys) => {
      const marks = frontOf(points, directions);
      expect(
        frontOf(
          points.map((point) => point.map((value) => Math.exp(value))),
          directions,
        ),
      ).toEqual(marks);
      const order = points
        .map((_, index) => ({ index, key: keys.next().value as number }))
        .sort((a, b) => a.key - b.key);
      const permuted = frontOf(
        order.map(({ index }) => points[index] as number[]),
        directions,
      );
      expect(permuted).toEqual(order.map(({ index }) => marks[index]));
    }),
  );
});

test('ties and equal points are all on the front', () => {
  expect(
    frontOf(
      [
        [1, 2],
        [2, 1],
        [1, 2],
        [2, 2],
      ],
      ['minimize', 'minimize'],
    ),
  ).toEqual([1, 1, 1, 0]);
  expect(frontOf([[5], [5], [4]], ['maximize'])).toEqual([1, 1, 0]);
  expect(frontOf([], ['minimize', 'maximize', 'minimize'])).toEqual([]);
});

test('zero and negative zero are equal', () => {
  expect(
    frontOf(
      [
        [0, 1],
        [-0, 1],
      ],
      ['maximize', 'minimize'],
    ),
  ).toEqual([1, 1]);
});

test.each([
  { objectives: 1, levels: 50_000 },
  { objectives: 2, levels: 200 },
  { objectives: 3, levels: 40 },
  { objectives: 3, levels: 1e9 },
  { objectives: 4, levels: 12 },
  { objectives: 9, levels: 2 },
])('a table large enough to be sieved keeps its front: $objectives objectives of $levels levels', (table) => {
  const rng = createRng(table.objectives * table.levels);
  const directions = Array.from({ length: table.objectives }, (_, k): Direction => (k % 2 ? 'maximize' : 'minimize'));
  // Squares crowd most values near one end.
  const points = Array.from({ length: 6000 }, () =>
    directions.map(() => Math.floor(rng.uniform() ** 2 * table.levels)),
  );
  const marks = frontOf(points, directions);
  const front = points.filter((_, index) => marks[index] === 1);
  const wrong = points.filter(
    (point, index) => front.some((other) => dominates(other, point, directions)) === (marks[index] === 1),
  );
  expect(front.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
});
