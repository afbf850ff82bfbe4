import { DesignError } from '../errors.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { definingRelation, factorsOf, lengthOf, searchGenerators, type Word } from './two-level-search.ts';

/** A two-level fractional factorial 2^(k-p). Words are bit masks over `factors`; the first level of a factor is -1, the second +1. */
export interface Fraction {
  /** Varied factors in the order written: basic ones first, then those with a generator. */
  readonly factors: readonly string[];
  /** For each factor that is not basic, the word it equals. */
  readonly generators: readonly { readonly factor: string; readonly word: Word }[];
  /** Words that equal the identity, shortest first. */
  readonly relation: readonly Word[];
  /** Length of the shortest word: III keeps main effects apart from each other, IV also from two-factor interactions. */
  readonly resolution: number;
  /** Places in the full grid that are run. */
  readonly runs: readonly number[];
}

/**
 * The fraction of a spec with the highest resolution and, among those, least aberration.
 * @throws DesignError where a factor has other than two levels, or where the fraction is too small to keep main effects apart
 */
export function chooseFraction(spec: ExperimentSpec): Fraction {
  refuseOtherThanTwoLevels(spec);
  const factors = Object.keys(spec.factors);
  const generatorCount = Math.round(-Math.log2(spec.design.fraction ?? 1));
  const basicCount = factors.length - generatorCount;
  const words = basicCount < 2 ? undefined : searchGenerators(basicCount, generatorCount);
  if (words === undefined) throw tooSmall(spec, factors.length);

  const relation = definingRelation(words.map((word, at) => word | (1 << (basicCount + at))));
  return {
    factors,
    generators: words.map((word, at) => ({ factor: factors[basicCount + at] as string, word })),
    relation,
    resolution: lengthOf(relation[0] as Word),
    runs: Array.from({ length: 2 ** basicCount }, (_, run) => gridIndex(run, basicCount, words)),
  };
}

function refuseOtherThanTwoLevels({ file, factors }: ExperimentSpec): void {
  const others = Object.entries(factors).filter(([, levels]) => levels.length !== 2);
  if (others.length === 0) return;
  throw new DesignError(
    others.map(([factor, levels]) => ({
      where: file,
      what: `factor "${factor}" has ${levels.length} levels (${levels.map(({ name }) => name).join(', ')}), and a fractional factorial takes two`,
      hint: `Keep two levels, or take design: { method: latin-hypercube, points: N }.`,
    })),
  );
}

function tooSmall({ file, design }: ExperimentSpec, factorCount: number): DesignError {
  const divisor = Math.round(1 / (design.fraction ?? 1));
  const smallestRuns = 2 ** Math.ceil(Math.log2(factorCount + 1));
  const largestDivisor = 2 ** factorCount / smallestRuns;
  const runs = 2 ** factorCount / divisor;
  return new DesignError({
    where: file,
    what: `1/${divisor} of ${factorCount} two-level factors is ${runs} ${runs === 1 ? 'run' : 'runs'}, too few to keep ${factorCount} main effects apart`,
    hint:
      largestDivisor < 2
        ? 'Take method: full-factorial; no fraction of so few factors keeps them apart.'
        : `Take a fraction of 1/${largestDivisor} or more.`,
  });
}

/** Place in the full grid (first factor slowest) of one run: its bits, highest first, are the levels of the basic factors. */
function gridIndex(run: number, basicCount: number, words: readonly Word[]): number {
  const basics = Array.from({ length: basicCount }, (_, at) => (run >> (basicCount - 1 - at)) & 1);
  const generated = words.map((word) => {
    const lows = factorsOf(word).filter((at) => basics[at] === 0).length;
    return lows % 2 === 0 ? 1 : 0;
  });
  return [...basics, ...generated].reduce((index, level) => index * 2 + level, 0);
}
