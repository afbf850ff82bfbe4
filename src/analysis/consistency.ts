import { createRng, deriveSeed, type Rng } from '../rng.ts';
import { tCritical } from '../student-t.ts';
import { gather, matchAcross } from './correlations.ts';
import { kolmogorovSmirnov, kullbackLeibler } from './distribution-distance.ts';
import { chooseScale, type ResponseScale } from './response-scale.ts';
import type { Configurations } from './types.ts';

interface ValueWithEnds {
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

/** How the values of a response at b follow from those at a, over matched configurations, and how far their distributions lie apart. */
export interface Consistency {
  readonly response: string;
  readonly context: string;
  readonly a: string;
  readonly b: string;
  readonly n: number;
  readonly scale: ResponseScale;
  /** b = intercept + slope * a on the scale; undefined where it cannot be fitted. */
  readonly line:
    | {
        readonly slope: ValueWithEnds;
        readonly intercept: ValueWithEnds;
        readonly residualSd: number;
        readonly rSquared: number;
      }
    | undefined;
  /** Ends are NaN for more than 5,000 pairs. */
  readonly distances: { readonly ks: ValueWithEnds; readonly kl: ValueWithEnds } | undefined;
}

const RESAMPLES = 500;
const MOST_RESAMPLED = 5000;
const SEED = 1;

/**
 * The line from a to b and the distances between their distributions, for each response and every two values of each context.
 *
 * Intervals of the line are Student's t over configurations; those of the distances are percentiles over matched configurations drawn again with replacement. Configurations are
 * those of the design and no random sample of all there could be: the intervals say what other designs like this one might have shown.
 * Source of the questions: Jamshidi et al. (2017), "Transfer learning for performance modeling of configurable systems", arXiv 1709.02280; percentiles: Davison, Hinkley (1997), sec. 5.3.
 */
export function findConsistency(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  contexts: readonly string[],
  confidence: number,
): Consistency[] {
  return contexts.flatMap((context) => {
    const { partners, levels } = matchAcross(configurations, context);
    return [...means].flatMap(([response, values]) => {
      const scale = chooseScale(response, values);
      const onScale = scale === 'log' ? values.map(Math.log) : values;
      const byLevel = levels.map((_, level) => gather(partners, levels.length, level, onScale));
      return levels.flatMap((a, i) =>
        levels.slice(i + 1).map((b, j): Consistency => {
          const [x, y] = pair(byLevel[i] as Float64Array, byLevel[i + 1 + j] as Float64Array);
          const rng = createRng(deriveSeed(SEED, 'consistency', context, a, b, response));
          return {
            ...{ response, context, a, b, n: x.length, scale },
            line: fitLine(x, y, confidence),
            distances: x.length < 3 ? undefined : measureDistances(x, y, confidence, rng),
          };
        }),
      );
    });
  });
}

/** The values of configurations that have both. */
export function pair(x: Float64Array, y: Float64Array): [Float64Array, Float64Array] {
  const isPair = (_: number, at: number) => !Number.isNaN(x[at] as number) && !Number.isNaN(y[at] as number);
  return [x.filter(isPair), y.filter(isPair)];
}

function fitLine(x: Float64Array, y: Float64Array, confidence: number): Consistency['line'] {
  if (x.length < 3) return undefined;
  // Deviations from the mean, so that a small spread about a large mean keeps its digits.
  const centreX = x.reduce((sum, value) => sum + value, 0) / x.length;
  const centreY = y.reduce((sum, value) => sum + value, 0) / y.length;
  let squares = 0;
  let products = 0;
  let total = 0;
  for (let at = 0; at < x.length; at++) {
    const dx = (x[at] as number) - centreX;
    const dy = (y[at] as number) - centreY;
    squares += dx * dx;
    products += dx * dy;
    total += dy * dy;
  }
  if (squares === 0 || total === 0) return undefined;
  const slope = products / squares;
  const intercept = centreY - slope * centreX;
  const residualSumSq = x.reduce((sum, value, at) => sum + ((y[at] as number) - intercept - slope * value) ** 2, 0);
  const df = x.length - 2;
  const residualSd = Math.sqrt(residualSumSq / df);
  const critical = tCritical(confidence, df);
  const around = (value: number, standardError: number): ValueWithEnds => ({
    value,
    lo: value - critical * standardError,
    hi: value + critical * standardError,
  });
  return {
    slope: around(slope, residualSd / Math.sqrt(squares)),
    intercept: around(intercept, residualSd * Math.sqrt(1 / x.length + centreX ** 2 / squares)),
    residualSd,
    rSquared: 1 - residualSumSq / total,
  };
}

function measureDistances(x: Float64Array, y: Float64Array, confidence: number, rng: Rng): Consistency['distances'] {
  const value = distancesOf(x, y);
  const without = { lo: Number.NaN, hi: Number.NaN };
  if (x.length > MOST_RESAMPLED) {
    return { ks: { value: value.ks, ...without }, kl: { value: value.kl, ...without } };
  }
  const draws = Array.from({ length: RESAMPLES }, () => {
    const picks = x.map(() => rng.integer(0, x.length - 1));
    return distancesOf(
      picks.map((at) => x[at] as number),
      picks.map((at) => y[at] as number),
    );
  });
  const tail = (1 - confidence) / 2;
  const ends = (of: 'ks' | 'kl') => {
    const sorted = draws.map((draw) => draw[of]).sort((a, b) => a - b);
    return {
      value: value[of],
      lo: sorted[Math.floor(tail * RESAMPLES)] as number,
      hi: sorted[Math.ceil((1 - tail) * RESAMPLES) - 1] as number,
    };
  };
  return { ks: ends('ks'), kl: ends('kl') };
}

function distancesOf(x: Float64Array, y: Float64Array): { readonly ks: number; readonly kl: number } {
  const [a, b] = [x.toSorted(), y.toSorted()];
  return { ks: kolmogorovSmirnov(a, b), kl: kullbackLeibler(a, b) };
}
