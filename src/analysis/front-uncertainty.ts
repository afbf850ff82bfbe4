import { createRng, deriveSeed } from '../rng.ts';
import type { Objective } from '../spec/types.ts';
import { tCritical } from '../student-t.ts';
import { normalQuantile } from './distributions.ts';
import {
  type Costs,
  countTies,
  distanceToFront,
  findBox,
  findKnee,
  frontMembers,
  hypervolumeShare,
  type ObjectiveBox,
  toCosts,
} from './front-shape.ts';
import { markFront, missesGate } from './fronts.ts';
import type { MeanSampler } from './mean-sampler.ts';
import type { Configurations, Constraint, Front } from './types.ts';

/** What is known of a front beyond who is on it. */
export interface FrontDetail {
  readonly front: Front;
  /** Beside `front.members`: share of draws in which it is on the front; absent where nothing says how sure its means are. */
  readonly membership: Float64Array | undefined;
  /** Why there is none. */
  readonly membershipReason: string | undefined;
  /** Beside `front.members`: distance to the front in shares of the objectives' ranges, NaN for those left out. */
  readonly distances: Float64Array | undefined;
  /** By configuration on the front: how many others tie with it. */
  readonly ties: ReadonlyMap<number, number>;
  readonly knee: number | undefined;
  readonly box: ObjectiveBox | undefined;
  /** Share of the box between ideal and reference that the front dominates. */
  readonly hypervolume: { readonly value: number; readonly lo: number; readonly hi: number } | undefined;
}

/** Times that means are drawn. */
export const DRAWS = 1000;
/** A configuration that is on the front this often is on the robust front. */
export const ROBUST = 0.9;
const SEED = 1;
/** Points times draws, and points times front, that are still worth their time. */
const MOST_DRAWN = 5e7;
const MOST_DISTANCES = 5e7;
/** Points of a front times points to the power of further objectives, for one hypervolume and for one of each draw. */
const MOST_SLICES = 5e7;

export interface FrontQuestion {
  readonly configurations: Configurations;
  readonly means: ReadonlyMap<string, Float64Array>;
  readonly objectives: readonly Objective[];
  readonly constraints: readonly Constraint[];
  readonly isLeftOut: Uint8Array;
  readonly fronts: readonly Front[];
  readonly sampler: MeanSampler;
  readonly confidence: number;
}

/**
 * How sure every front is, and its shape.
 *
 * Membership is the share of bootstrap draws of all means in which a configuration meets every constraint and is dominated by no other; the interval of the hypervolume is from the
 * quantiles of the same draws around the estimate (basic bootstrap), widened from the normal distribution to Student's t: draws know the error, few replicates do not.
 * Sources: Davison, Hinkley (1997), "Bootstrap Methods and their Application", sec. 5.2 (basic interval); Satterthwaite (1946), Biometrics Bulletin 2(6); the sampler names its own.
 */
export function describeFronts(question: FrontQuestion): FrontDetail[] {
  const { means, objectives, isLeftOut, fronts, sampler } = question;
  // The same box for every front, so that their hypervolumes can be compared.
  const box = findBox(means, objectives, isLeftOut);
  const costs = box === undefined ? undefined : toCosts(means, objectives, box);
  const reason = sayWhyNotDrawn(question);
  const drawn = reason === undefined && box !== undefined ? drawFronts(question, box) : undefined;
  const dfOf = (front: Front) =>
    costs === undefined || box === undefined
      ? Number.POSITIVE_INFINITY
      : errorDf(question, box, costs, frontMembers(front));
  return fronts.map((front, index): FrontDetail => {
    const onFront = frontMembers(front);
    const shape = costs === undefined || onFront.length === 0 ? undefined : shapeOf(costs, front, onFront, isLeftOut);
    return {
      front,
      membership: drawn?.membership[index],
      membershipReason:
        reason ?? (sampler.sources.length > 0 && box === undefined ? 'no configuration takes part' : undefined),
      distances: shape?.distances,
      ties: shape?.ties ?? new Map(),
      knee: shape?.knee,
      box,
      hypervolume:
        shape?.hypervolume === undefined
          ? undefined
          : intervalOf(
              shape.hypervolume,
              drawn?.hypervolumes[index] ?? [],
              question.confidence,
              drawn === undefined ? Number.POSITIVE_INFINITY : dfOf(front),
            ),
    };
  });
}

function sayWhyNotDrawn({ configurations, fronts, sampler, isLeftOut }: FrontQuestion): string | undefined {
  if (!sampler.sources.some((source, at) => source !== 'none' && isLeftOut[at] === 0)) {
    return 'one replicate of each configuration and no intervals: nothing says how sure the means are';
  }
  return configurations.count * fronts.length * DRAWS > MOST_DRAWN
    ? `${configurations.count} configurations are too many to draw ${DRAWS} times`
    : undefined;
}

function isSliceable(points: number, objectives: number): boolean {
  return points ** Math.max(1, objectives - 1) <= MOST_SLICES;
}

function shapeOf(costs: Costs, front: Front, onFront: readonly number[], isLeftOut: Uint8Array) {
  const isNear = front.members.length * onFront.length <= MOST_DISTANCES;
  return {
    distances: isNear
      ? Float64Array.from(front.members, (member) =>
          isLeftOut[member] === 1 ? Number.NaN : distanceToFront(costs, onFront, member),
        )
      : undefined,
    ties: countTies(costs, onFront),
    knee: findKnee(costs, onFront),
    hypervolume: isSliceable(onFront.length, costs.length) ? hypervolumeShare(costs, onFront) : undefined,
  };
}

/** Draws all means over and over and finds every front anew. */
function drawFronts(question: FrontQuestion, box: ObjectiveBox) {
  const { configurations, objectives, constraints, fronts, sampler } = question;
  const rng = createRng(deriveSeed(SEED, 'fronts'));
  const membership = fronts.map(({ members }) => new Float64Array(members.length));
  const hypervolumes = fronts.map((): number[] => []);
  const isUnmeasured = findUnmeasured(question);
  for (let draw = 0; draw < DRAWS; draw++) {
    const means = sampler.draw(rng);
    const isOut = isUnmeasured.slice();
    for (let configuration = 0; configuration < configurations.count; configuration++) {
      if (constraints.some((gate) => missesGate(gate, means.get(gate.response)?.[configuration] as number))) {
        isOut[configuration] = 1;
      }
    }
    const costs = toCosts(means, objectives, box);
    for (const [index, { members }] of fronts.entries()) {
      const onFront = markFront(members, isOut, means, objectives);
      const shares = membership[index] as Float64Array;
      for (let place = 0; place < members.length; place++) {
        shares[place] = (shares[place] as number) + (onFront[place] as number) / DRAWS;
      }
      const points = frontMembers({ members, onFront });
      if (isSliceable(points.length * 10, objectives.length))
        hypervolumes[index]?.push(hypervolumeShare(costs, points));
    }
  }
  // A share of a thousand thousandths is 1, whatever they add up to.
  for (const shares of membership) {
    for (const [place, share] of shares.entries()) shares[place] = Math.round(share * DRAWS) / DRAWS;
  }
  return { membership, hypervolumes: hypervolumes.map((values) => (values.length === DRAWS ? values : [])) };
}

/** Left out for another reason than a missed constraint, which a draw may meet. */
function findUnmeasured({ configurations, means, objectives, constraints }: FrontQuestion): Uint8Array {
  const needed = [...objectives, ...constraints].map(({ response }) => means.get(response) as Float64Array);
  return Uint8Array.from({ length: configurations.count }, (_, configuration) =>
    needed.some((values) => Number.isNaN(values[configuration])) ? 1 : 0,
  );
}

/** Draws by which each point's part in the error of a hypervolume is told, and points of a front above which a few replicates of each are many together. */
const PART_DRAWS = 200;
const MOST_PARTS = 50;

/**
 * Degrees of freedom of the error of a hypervolume: each point of the front by itself gives a part of its variance, known by the replicates of that point, and these add up as Welch and
 * Satterthwaite's do.
 */
function errorDf(
  { sampler, objectives, configurations: { offsets } }: FrontQuestion,
  box: ObjectiveBox,
  costs: Costs,
  onFront: readonly number[],
): number {
  if (onFront.length > MOST_PARTS || !isSliceable(onFront.length * 10, objectives.length))
    return Number.POSITIVE_INFINITY;
  const rng = createRng(deriveSeed(SEED, 'parts'));
  const moved = costs.map((values) => values.slice());
  const whole = hypervolumeShare(costs, onFront);
  const variances = new Float64Array(onFront.length);
  for (let draw = 0; draw < PART_DRAWS; draw++) {
    const drawn = toCosts(sampler.draw(rng), objectives, box);
    for (const [place, point] of onFront.entries()) {
      for (const [k, values] of moved.entries()) values[point] = drawn[k]?.[point] as number;
      variances[place] = (variances[place] as number) + (hypervolumeShare(moved, onFront) - whole) ** 2;
      for (const [k, values] of moved.entries()) values[point] = costs[k]?.[point] as number;
    }
  }
  let [total, spread] = [0, 0];
  for (const [place, point] of onFront.entries()) {
    const part = variances[place] as number;
    total += part;
    // A single replicate is drawn within its windows, whose interval knows its own degrees of freedom.
    const df = (offsets[point + 1] as number) - (offsets[point] as number) - 1;
    if (df > 0) spread += part ** 2 / df;
  }
  return spread === 0 ? Number.POSITIVE_INFINITY : total ** 2 / spread;
}

function intervalOf(value: number, draws: readonly number[], confidence: number, df: number) {
  if (draws.length === 0) return { value, lo: Number.NaN, hi: Number.NaN };
  const sorted = draws.toSorted((a, b) => a - b);
  const at = (p: number) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] as number;
  const tail = (1 - confidence) / 2;
  const widening = Number.isFinite(df) ? tCritical(confidence, df) / normalQuantile(1 - tail) : 1;
  return {
    value,
    lo: Math.max(0, value - widening * (at(1 - tail) - value)),
    hi: Math.min(1, value + widening * (value - at(tail))),
  };
}
