import { expect, test } from 'vitest';
import { levelsAt } from '../../src/design/factorial.ts';
import { chooseFraction, type Fraction } from '../../src/design/fractional-factorial.ts';
import { describeDesign } from '../../src/design/index.ts';
import { lengthOf } from '../../src/design/two-level-search.ts';
import { specFromYaml, specOf } from './specs.ts';

const LETTERS = 'ABCDEFGHJKLMN';

function fractionOf(k: number, p: number): { readonly fraction: Fraction; readonly columns: number[][] } {
  const counts = Object.fromEntries([...LETTERS].slice(0, k).map((letter) => [letter, 2]));
  const spec = specOf(counts, { method: 'fractional-factorial', fraction: 2 ** -p });
  const fraction = chooseFraction(spec);
  const columns = fraction.factors.map((factor) =>
    fraction.runs.map((run) => (levelsAt(spec, run)[factor]?.value === 1 ? -1 : 1)),
  );
  return { fraction, columns };
}

/** Words of the defining relation by length, from length 3. */
function lengthPattern({ relation }: Fraction): number[] {
  const pattern: number[] = [];
  for (const word of relation) pattern[lengthOf(word) - 3] = (pattern[lengthOf(word) - 3] ?? 0) + 1;
  return Array.from(pattern, (count) => count ?? 0);
}

// NIST/SEMATECH e-Handbook of Statistical Methods, table 5.3.3.4.7, "Summary of useful fractional factorial designs": k, p, resolution.
const NIST_TABLE = [
  [3, 1, 3],
  [4, 1, 4],
  [5, 1, 5],
  [5, 2, 3],
  [6, 1, 6],
  [6, 2, 4],
  [6, 3, 3],
  [7, 1, 7],
  [7, 2, 4],
  [7, 3, 4],
  [7, 4, 3],
  [8, 1, 8],
  [8, 2, 5],
  [8, 3, 4],
  [8, 4, 4],
  [9, 2, 6],
  [9, 3, 4],
  [9, 4, 4],
  [9, 5, 3],
  [10, 3, 5],
  [10, 4, 4],
  [10, 5, 4],
  [10, 6, 3],
  [11, 4, 5],
  [11, 5, 4],
  [11, 6, 4],
  [11, 7, 3],
] as const;

test.each(NIST_TABLE)('2^(%i-%i) has resolution %i, as the NIST e-Handbook lists', (k, p, resolution) => {
  expect(fractionOf(k, p).fraction.resolution).toBe(resolution);
});

test.each(NIST_TABLE)('columns of 2^(%i-%i) are balanced and pairwise orthogonal', (k, p) => {
  const { fraction, columns } = fractionOf(k, p);
  expect(new Set(fraction.runs).size).toBe(2 ** (k - p));
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  for (const [at, column] of columns.entries()) {
    expect(column.reduce((sum, value) => sum + value)).toBe(0);
    for (const other of columns.slice(at + 1)) expect(dot(column, other)).toBe(0);
  }
});

test('every word of the defining relation is the identity in the runs themselves', () => {
  const { fraction, columns } = fractionOf(8, 4);
  for (const word of fraction.relation) {
    const products = fraction.runs.map((_, run) =>
      columns.reduce((product, column, factor) => ((word >> factor) & 1 ? product * (column[run] ?? 0) : product), 1),
    );
    expect(new Set(products)).toEqual(new Set([1]));
  }
});

// Defining relations of Montgomery, Design and Analysis of Experiments, appendix "Alias relationships for 2^(k-p)": words by length, from 3.
test.each([
  ['I = ABCD', 4, 1, [0, 1]],
  ['I = ABD = ACE = BCDE', 5, 2, [2, 1]],
  ['I = ABCE = BCDF = ADEF', 6, 2, [0, 3]],
  ['I = ABD = ACE = BCF and products', 6, 3, [4, 3]],
  ['I = ABCDF = ABDEG = CEFG', 7, 2, [0, 1, 2]],
  ['I = ABCE = BCDF = ACDG and products', 7, 3, [0, 7]],
  ['I = ABD = ACE = BCF = ABCG and products', 7, 4, [7, 7, 0, 0, 1]],
  ['I = ABCDG = ABEFH = CDEFGH', 8, 2, [0, 0, 2, 1]],
  ['I = ABCF = ABDG = BCDEH and products', 8, 3, [0, 3, 4]],
  ['I = BCDE = ACDF = ABCG = ABDH and products', 8, 4, [0, 14, 0, 0, 0, 1]],
] as const)('%s has the word lengths of the table', (_, k, p, pattern) => {
  expect(lengthPattern(fractionOf(k, p).fraction)).toEqual(pattern);
});

test('generators are the textbook ones where the table has one choice', () => {
  const generators = (k: number, p: number) =>
    describeDesign(
      specOf(Object.fromEntries([...LETTERS].slice(0, k).map((letter) => [letter, 2])), {
        method: 'fractional-factorial',
        fraction: 2 ** -p,
      }),
    ).aliases[1];
  expect(generators(4, 1)).toBe('generators: D = A:B:C');
  expect(generators(5, 2)).toBe('generators: D = A:B, E = A:C');
  expect(generators(7, 4)).toBe('generators: D = A:B, E = A:C, F = B:C, G = A:B:C');
});

const FOUR_FACTORS = `
name: a
design: { method: fractional-factorial, fraction: 1/2 }
factors:
  model: [mnist-cnn, resnet18]
  batch: [1, 8]
  threads: [1, 2]
  load: [light, high]
`;

test('the alias structure of a half fraction of four factors', () => {
  const { aliases, points, candidates, gridPoints } = describeDesign(specFromYaml(FOUR_FACTORS));
  expect({ points, candidates, gridPoints }).toEqual({ points: 8, candidates: 8, gridPoints: 16 });
  expect(aliases).toMatchInlineSnapshot(`
    [
      "2^(4-1) in 8 runs, resolution IV",
      "generators: load = model:batch:threads",
      "defining relation: I = model:batch:threads:load",
      "aliased: model:batch = threads:load",
      "aliased: model:threads = batch:load",
      "aliased: model:load = batch:threads",
      "clear of two-factor interactions: model, batch, threads, load",
    ]
  `);
});

test('the alias structure at resolution III names what each main effect is mixed with', () => {
  const spec = specOf({ a: 2, b: 2, c: 2, d: 2, e: 2 }, { method: 'fractional-factorial', fraction: 1 / 4 });
  expect(describeDesign(spec).aliases).toMatchInlineSnapshot(`
    [
      "2^(5-2) in 8 runs, resolution III",
      "generators: d = a:b, e = a:c",
      "defining relation: I = a:b:d = a:c:e = b:c:d:e",
      "aliased: a = b:d = c:e",
      "aliased: b = a:d",
      "aliased: c = a:e",
      "aliased: d = a:b",
      "aliased: e = a:c",
      "aliased: b:c = d:e",
      "aliased: b:e = c:d",
    ]
  `);
});

test('exclusions that break orthogonality are a warning', () => {
  const exclude = 'exclude: [{ when: { batch: 8, threads: 2 }, why: too slow }]';
  const { warnings, points, exclusions } = describeDesign(specFromYaml(`${FOUR_FACTORS}${exclude}`));
  expect({ points, exclusions }).toEqual({
    points: 6,
    exclusions: [{ when: 'batch=8, threads=2', why: 'too slow', matches: 2 }],
  });
  expect(warnings).toMatchInlineSnapshot(`
    [
      {
        "hint": "Its columns are then no longer orthogonal, and effects mix beyond the aliases listed. Take method: full-factorial, or levels that need no exclusion.",
        "what": "exclusions take 2 of the 8 runs of the fractional factorial",
        "where": "a.yaml",
      },
    ]
  `);
});

test('factors with more than two levels are named', () => {
  const spec = specOf({ a: 2, b: 3, c: 2, d: 4 }, { method: 'fractional-factorial', fraction: 1 / 2 });
  expect(() => chooseFraction(spec)).toThrowErrorMatchingInlineSnapshot(`
    [DesignError: a.yaml  factor "b" has 3 levels (b1, b2, b3), and a fractional factorial takes two
      Keep two levels, or take design: { method: latin-hypercube, points: N }.
    a.yaml  factor "d" has 4 levels (d1, d2, d3, d4), and a fractional factorial takes two
      Keep two levels, or take design: { method: latin-hypercube, points: N }.]
  `);
});

test('a fraction too small to keep main effects apart is refused with the smallest that does', () => {
  expect(() => fractionOf(5, 3)).toThrowErrorMatchingInlineSnapshot(`
    [DesignError: a.yaml  1/8 of 5 two-level factors is 4 runs, too few to keep 5 main effects apart
      Take a fraction of 1/4 or more.]
  `);
  expect(() => fractionOf(2, 1)).toThrowErrorMatchingInlineSnapshot(`
    [DesignError: a.yaml  1/2 of 2 two-level factors is 2 runs, too few to keep 2 main effects apart
      Take method: full-factorial; no fraction of so few factors keeps them apart.]
  `);
});

test('the largest design of all factors is found in time', () => {
  expect(fractionOf(13, 6).fraction.resolution).toBeGreaterThanOrEqual(4);
});
