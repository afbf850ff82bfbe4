import { createRng, deriveSeed, type Rng } from '../rng.ts';
import type { Objective } from '../spec/types.ts';
import { tCritical } from '../student-t.ts';
import { shareInterval } from './coefficient-intervals.ts';
import { gather, matchAcross } from './correlations.ts';
import { normalQuantile } from './distributions.ts';
import { missesGate } from './fronts.ts';
import type { MeanSampler } from './mean-sampler.ts';
import { findFront } from './pareto.ts';
import { chooseScale } from './response-scale.ts';
import type { Configurations, Constraint } from './types.ts';

/** What becomes of the best configuration of `from` when it is taken to `to`. */
export interface Transfer {
  readonly response: string;
  readonly context: string;
  readonly from: string;
  readonly to: string;
  /** Configurations measured on both sides. */
  readonly n: number;
  readonly outcome:
    | {
        /** Configurations at `to`: the best of `from` carried over, and the best of `to` itself. */
        readonly carried: number;
        readonly best: number;
        readonly carriedValue: number;
        readonly bestValue: number;
        /** How much worse the one is than the other, as a share of the other; never negative. */
        readonly regret: number;
        readonly regretLo: number;
        readonly regretHi: number;
        readonly meetsConstraints: boolean;
        /** Absent, as the overlap of fronts is, for more than 20,000 configurations. */
        readonly topK: number | undefined;
        readonly topKOverlap: number | undefined;
        readonly frontOverlap: number | undefined;
        /** Fewest configurations to measure at `to` so that a line from `from` predicts the others; undefined where no number does. */
        readonly needed: number | undefined;
      }
    | { readonly reason: string };
}

/** How many configurations failed or were invalid on both sides. */
export interface InvalidOverlap {
  readonly context: string;
  readonly a: string;
  readonly b: string;
  readonly n: number;
  readonly invalidA: number;
  readonly invalidB: number;
  readonly both: number;
  /** Of those invalid at a, the share invalid at b. */
  readonly lo: number;
  readonly hi: number;
}

export interface TransferQuestion {
  readonly configurations: Configurations;
  readonly means: ReadonlyMap<string, Float64Array>;
  readonly objectives: readonly Objective[];
  readonly constraints: readonly Constraint[];
  readonly contexts: readonly string[];
  readonly sampler: MeanSampler;
  readonly confidence: number;
}

const DRAWS = 500;
const MOST_DRAWN = 2e7;
/** A line predicts well enough where its mean error is within this share, in this share of the subsets tried. */
export const PREDICTION_ERROR = 0.1;
const PREDICTION_SHARE = 0.9;
const SUBSETS = 100;
const MOST_PREDICTED = 500;
const MOST_COMPARED = 20_000;
const SEED = 1;

/**
 * For every ordered pair of values of each context and each objective: the regret of carrying the best configuration over, how many of the best the two have in common, and how
 * many measurements a line from one to the other saves.
 *
 * Configurations are matched on all other factors. The interval of the regret is of percentiles over bootstrap draws of all means, the choice included, widened from the normal distribution to Student's t. For the line, subsets of configurations
 * are drawn: with as many measured at `to` as `needed`, a straight line through them (logarithms, for times, energies and rates) predicts the rest with a mean error of at most 10 % in 9 of 10 subsets.
 * Source of the questions: Jamshidi et al. (2017), arXiv 1709.02280; linear transfer: Valov et al. (2017), "Transferring performance prediction models across different hardware platforms", ICPE.
 */
export function findTransfers(question: TransferQuestion): Transfer[] {
  const { configurations, contexts, objectives, means, sampler } = question;
  const canDraw = sampler.sources.some((source) => source !== 'none') && configurations.count * DRAWS <= MOST_DRAWN;
  const rng = createRng(deriveSeed(SEED, 'transfer'));
  const draws = canDraw && contexts.length > 0 ? Array.from({ length: DRAWS }, () => sampler.draw(rng)) : [];
  return contexts.flatMap((context) => {
    const { partners, levels } = matchAcross(configurations, context);
    const at = (level: number, values: Float64Array) => gather(partners, levels.length, level, values);
    const indices = Float64Array.from({ length: configurations.count }, (_, index) => index);
    return orderedPairs(levels.length).flatMap(([from, to]) => {
      const overlap = frontOverlap(question, at, from, to);
      return objectives.map((objective): Transfer => {
        const values = means.get(objective.response) as Float64Array;
        const sides: Sides = { x: at(from, values), y: at(to, values), ids: at(to, indices) };
        const both = matched(sides, allowedAt(question, at, from, means));
        const head = { response: objective.response, context, from: levels[from] as string, to: levels[to] as string };
        if (both.length < 2) {
          return {
            ...head,
            n: both.length,
            outcome: {
              reason: `${both.length} configurations meet the constraints there and were measured on both sides`,
            },
          };
        }
        const chosen = choose(sides, both, objective.direction);
        const regrets = draws
          .map((drawn) => {
            const redrawn = drawn.get(objective.response) as Float64Array;
            const again = { x: at(from, redrawn), y: at(to, redrawn), ids: sides.ids };
            const allowed = matched(again, allowedAt(question, at, from, drawn));
            return allowed.length === 0 ? Number.NaN : choose(again, allowed, objective.direction).regret;
          })
          .filter((regret) => !Number.isNaN(regret));
        const [carried, best] = [sides.ids[chosen.carried] as number, sides.ids[chosen.best] as number];
        return {
          ...head,
          n: both.length,
          outcome: {
            carried,
            best,
            carriedValue: sides.y[chosen.carried] as number,
            bestValue: sides.y[chosen.best] as number,
            regret: chosen.regret,
            ...endsOf(regrets, chosen.regret, errorDf(configurations, carried, best), question.confidence),
            meetsConstraints: question.constraints.every(
              (gate) => !missesGate(gate, (means.get(gate.response) as Float64Array)[carried] as number),
            ),
            ...topOverlap(sides, both, objective.direction),
            frontOverlap: overlap,
            needed: countNeeded(
              objective.response,
              sides,
              both,
              createRng(deriveSeed(SEED, 'line', context, from, to)),
            ),
          },
        };
      });
    });
  });
}

/** Values at both sides by group of matched configurations, and the configuration at `to`; NaN where there is none. */
interface Sides {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly ids: Float64Array;
}

type At = (level: number, values: Float64Array) => Float64Array;

function orderedPairs(count: number): [number, number][] {
  return Array.from({ length: count * count }, (_, k): [number, number] => [Math.floor(k / count), k % count]).filter(
    ([from, to]) => from !== to,
  );
}

/** Per group, whether its configuration at `from` meets every constraint there: the choice is made by what is known at `from`. */
function allowedAt({ constraints }: TransferQuestion, at: At, from: number, means: ReadonlyMap<string, Float64Array>) {
  const gates = constraints.map((gate) => ({ gate, values: at(from, means.get(gate.response) as Float64Array) }));
  return (group: number) => gates.every(({ gate, values }) => !missesGate(gate, values[group] as number));
}

function matched({ x, y }: Sides, isAllowed: (group: number) => boolean): number[] {
  const groups: number[] = [];
  for (let group = 0; group < x.length; group++) {
    if (!Number.isNaN(x[group]) && !Number.isNaN(y[group]) && isAllowed(group)) groups.push(group);
  }
  return groups;
}

function choose({ x, y }: Sides, groups: readonly number[], direction: Objective['direction']) {
  const sign = direction === 'minimize' ? 1 : -1;
  const bestOf = (values: Float64Array) =>
    groups.reduce((best, group) => (sign * ((values[group] as number) - (values[best] as number)) < 0 ? group : best));
  const carried = bestOf(x);
  const best = bestOf(y);
  const loss = sign * ((y[carried] as number) - (y[best] as number));
  return { carried, best, regret: loss === 0 ? 0 : loss / Math.abs(y[best] as number) };
}

/** Degrees of freedom of the error of two configurations' difference: replicates of both, less two means. */
function errorDf({ offsets }: Configurations, one: number, other: number): number {
  const replicates = (at: number) => (offsets[at + 1] as number) - (offsets[at] as number);
  return one === other ? replicates(one) - 1 : replicates(one) + replicates(other) - 2;
}

/** Percentiles of the draws, moved away from the regret as far as Student's t is wider than the normal distribution: draws know the error, few replicates do not. */
function endsOf(draws: readonly number[], regret: number, df: number, confidence: number) {
  if (draws.length === 0) return { regretLo: Number.NaN, regretHi: Number.NaN };
  const sorted = draws.toSorted((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  const [low, high] = [
    sorted[Math.floor(tail * sorted.length)] as number,
    sorted[Math.ceil((1 - tail) * sorted.length) - 1] as number,
  ];
  const widening = df < 1 ? 1 : tCritical(confidence, df) / normalQuantile(1 - tail);
  return {
    regretLo: Math.max(0, Math.min(low, regret + widening * (low - regret))),
    regretHi: Math.max(high, regret + widening * (high - regret)),
  };
}

/** How many of the best k at one side are among the best k at the other; k is a tenth of them, at least 3 (or all but one). */
function topOverlap({ x, y }: Sides, groups: readonly number[], direction: Objective['direction']) {
  const sign = direction === 'minimize' ? 1 : -1;
  if (groups.length > MOST_COMPARED) return { topK: undefined, topKOverlap: undefined };
  const topK = Math.min(groups.length - 1, Math.max(3, Math.round(groups.length / 10)));
  const top = (values: Float64Array) =>
    groups.toSorted((a, b) => sign * ((values[a] as number) - (values[b] as number))).slice(0, topK);
  const there = new Set(top(y));
  return { topK, topKOverlap: top(x).filter((group) => there.has(group)).length };
}

/** Configurations on both fronts as a share of those on either (Jaccard), over those measured on both sides. */
function frontOverlap(
  { objectives, means, constraints }: TransferQuestion,
  at: At,
  from: number,
  to: number,
): number | undefined {
  const sides = [from, to].map((level) => ({
    objectives: objectives.map(({ response }) => at(level, means.get(response) as Float64Array)),
    gates: constraints.map((gate) => ({ gate, values: at(level, means.get(gate.response) as Float64Array) })),
  }));
  const count = sides[0]?.objectives[0]?.length ?? 0;
  const groups = Array.from({ length: count }, (_, group) => group).filter((group) =>
    sides.every((side) => side.objectives.every((values) => !Number.isNaN(values[group]))),
  );
  if (groups.length > MOST_COMPARED) return undefined;
  const fronts = sides.map((side) => {
    const able = groups.filter((group) =>
      side.gates.every(({ gate, values }) => !missesGate(gate, values[group] as number)),
    );
    const marks = findFront(
      objectives.map(({ direction }, k) => ({
        direction,
        values: Float64Array.from(able, (group) => (side.objectives[k] as Float64Array)[group] as number),
      })),
    );
    return new Set(able.filter((_, index) => marks[index] === 1));
  });
  const either = new Set(fronts.flatMap((front) => [...front]));
  if (either.size === 0) return undefined;
  return [...either].filter((group) => fronts.every((front) => front.has(group))).length / either.size;
}

/** Fewest measurements, from 3, with which the line predicts the rest well enough; the more there are, the better it does, so they are found by halving. */
function countNeeded(response: string, { x, y }: Sides, groups: readonly number[], rng: Rng): number | undefined {
  const n = groups.length;
  if (n < 5 || n > MOST_PREDICTED) return undefined;
  const isLog = chooseScale(response, x) === 'log' && chooseScale(response, y) === 'log';
  const onScale = (value: number) => (isLog ? Math.log(value) : value);
  const known = groups.map((group) => ({ x: onScale(x[group] as number), y: y[group] as number }));
  const isEnough = (count: number) => {
    let good = 0;
    for (let subset = 0; subset < SUBSETS; subset++) {
      const shuffled = rng.shuffle(known);
      if (predictionError(shuffled.slice(0, count), shuffled.slice(count), isLog) <= PREDICTION_ERROR) good++;
    }
    return good >= PREDICTION_SHARE * SUBSETS;
  };
  let enough = n - 1;
  let tooFew = 2;
  if (!isEnough(enough)) return undefined;
  while (enough - tooFew > 1) {
    const middle = Math.floor((enough + tooFew) / 2);
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

interface Known {
  readonly x: number;
  readonly y: number;
}

/** Mean error of the line through the first at the others, as a share of their values. */
function predictionError(fitted: readonly Known[], others: readonly Known[], isLog: boolean): number {
  const onScale = (value: number) => (isLog ? Math.log(value) : value);
  const meanX = fitted.reduce((sum, { x }) => sum + x, 0) / fitted.length;
  const meanY = fitted.reduce((sum, { y }) => sum + onScale(y), 0) / fitted.length;
  const squares = fitted.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const products = fitted.reduce((sum, { x, y }) => sum + (x - meanX) * (onScale(y) - meanY), 0);
  const slope = squares === 0 ? 0 : products / squares;
  const errors = others.map(({ x, y }) => {
    const predicted = meanY + slope * (x - meanX);
    return Math.abs((isLog ? Math.exp(predicted) : predicted) - y) / Math.abs(y);
  });
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

/** Whether configurations that failed or were invalid at one value of a context are so at another. */
export function findInvalidOverlap(
  configurations: Configurations,
  contexts: readonly string[],
  confidence: number,
): InvalidOverlap[] {
  const isUsable = Float64Array.from({ length: configurations.count }, (_, index) =>
    (configurations.offsets[index + 1] as number) > (configurations.offsets[index] as number) ? 1 : 0,
  );
  return contexts.flatMap((context) => {
    const { partners, levels } = matchAcross(configurations, context);
    const byLevel = levels.map((_, level) => gather(partners, levels.length, level, isUsable));
    return levels.flatMap((a, i) =>
      levels.slice(i + 1).map((b, j) => {
        const [x, y] = [byLevel[i] as Float64Array, byLevel[i + 1 + j] as Float64Array];
        const tally = { n: 0, invalidA: 0, invalidB: 0, both: 0 };
        for (let group = 0; group < x.length; group++) {
          if (Number.isNaN(x[group]) || Number.isNaN(y[group])) continue;
          tally.n++;
          if (x[group] === 0) tally.invalidA++;
          if (y[group] === 0) tally.invalidB++;
          if (x[group] === 0 && y[group] === 0) tally.both++;
        }
        return { context, a, b, ...tally, ...shareInterval(tally.both, tally.invalidA, confidence) };
      }),
    );
  });
}
