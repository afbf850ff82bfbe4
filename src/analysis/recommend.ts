import { createRng, deriveSeed } from '../rng.ts';
import { shareInterval } from './coefficient-intervals.ts';
import { missesGate } from './fronts.ts';
import type { Analysis, Constraint } from './types.ts';

/** A configuration as a choice. */
export interface Candidate {
  /** Index of the configuration. */
  readonly configuration: number;
  /** Mean of the objective. */
  readonly value: number;
  /** Means of the constrained responses, in the order of the constraints. */
  readonly held: readonly number[];
  /** Share of draws in which it meets every constraint, and in which it is the best of those that do; undefined where nothing says how sure its means are. */
  readonly chances: { readonly meets: Chance; readonly best: Chance } | undefined;
}

/** A probability with the interval that the number of draws leaves. */
export interface Chance {
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

export type Recommendation =
  | {
      readonly choice: Candidate;
      /** The best among those that meet every constraint in at least 95 of 100 draws; undefined where none does, or where that is the choice itself. */
      readonly safer: Candidate | undefined;
      /** How much worse the safer one is, as a share of the choice's objective. */
      readonly priceOfSafety: number | undefined;
      /** Others that meet the constraints, the best first. */
      readonly runnersUp: readonly Candidate[];
      readonly eligible: number;
    }
  | {
      /** Nothing meets every constraint; the configuration that comes closest, and what it misses. */
      readonly closest: Candidate | undefined;
      readonly misses: readonly Constraint[];
    };

export const SAFE = 0.95;
const DRAWS = 2000;
const MOST_DRAWN = 2e7;
const RUNNERS_UP = 4;
const SEED = 1;

/**
 * The configuration with the best mean of the one objective among those whose means meet every constraint, and how sure that is by bootstrap over replicates or windows.
 *
 * Chances hold for the configurations and loads that were measured; they say how often the same experiment would have told the same, and not what another day or machine would do.
 * @param analysis - of a table with exactly one objective
 * @param at - choose only among configurations at these levels, e.g. at one load, which is no choice of who deploys
 */
export function recommend(
  { configurations, means, options, leftOut, sampler }: Analysis,
  at: ReadonlyMap<string, string> = new Map(),
): Recommendation {
  const [objective] = options.objectives;
  if (objective === undefined || options.objectives.length !== 1)
    throw new RangeError('a recommendation needs one objective');
  const { constraints, confidence } = options;
  const sign = objective.direction === 'minimize' ? 1 : -1;
  const values = means.get(objective.response) as Float64Array;
  const gates = constraints.map((gate) => ({ gate, values: means.get(gate.response) as Float64Array }));
  const isOut = new Set(leftOut.map(({ configuration }) => configuration));
  const isThere = (index: number) =>
    configurations.factors.every((factor, k) => {
      const level = at.get(factor);
      return level === undefined || configurations.levels[k]?.[configurations.codes[k]?.[index] as number] === level;
    });
  const measured = Array.from({ length: configurations.count }, (_, index) => index).filter(
    (index) =>
      isThere(index) && [values, ...gates.map((gate) => gate.values)].every((column) => !Number.isNaN(column[index])),
  );
  const tallies = drawChances({
    measured,
    sign,
    objective: objective.response,
    constraints,
    sampler,
    count: configurations.count,
  });
  const toCandidate = (configuration: number): Candidate => ({
    configuration,
    value: values[configuration] as number,
    held: gates.map((gate) => gate.values[configuration] as number),
    chances:
      tallies === undefined || sampler.sources[configuration] === 'none'
        ? undefined
        : {
            meets: chanceOf(tallies.meets[configuration] as number, confidence),
            best: chanceOf(tallies.best[configuration] as number, confidence),
          },
  });
  const ranked = measured
    .filter((index) => !isOut.has(index))
    .sort((a, b) => sign * ((values[a] as number) - (values[b] as number)));
  const [first] = ranked;
  if (first === undefined) {
    const closest = measured.toSorted((a, b) => shortfall(gates, a) - shortfall(gates, b))[0];
    return {
      closest: closest === undefined ? undefined : toCandidate(closest),
      misses:
        closest === undefined
          ? constraints
          : gates.filter(({ gate, values: held }) => missesGate(gate, held[closest] as number)).map(({ gate }) => gate),
    };
  }
  const choice = toCandidate(first);
  const safest = ranked.find((index) => (toCandidate(index).chances?.meets.value ?? 0) >= SAFE);
  const safer = safest === undefined || safest === first ? undefined : toCandidate(safest);
  return {
    choice,
    safer,
    priceOfSafety: safer === undefined ? undefined : (sign * (safer.value - choice.value)) / Math.abs(choice.value),
    runnersUp: ranked.slice(1, 1 + RUNNERS_UP).map(toCandidate),
    eligible: ranked.length,
  };
}

function chanceOf(count: number, confidence: number): Chance {
  return { value: count / DRAWS, ...shareInterval(count, DRAWS, confidence) };
}

/** How far a configuration is from meeting every constraint: the largest shortfall as a share of the limit. */
function shortfall(
  gates: readonly { readonly gate: Constraint; readonly values: Float64Array }[],
  configuration: number,
): number {
  return Math.max(
    0,
    ...gates.map(({ gate, values }) => {
      const beyond =
        gate.relation === '<='
          ? (values[configuration] as number) - gate.limit
          : gate.limit - (values[configuration] as number);
      return beyond / (Math.abs(gate.limit) || 1);
    }),
  );
}

interface DrawQuestion extends Pick<Analysis, 'sampler'> {
  readonly measured: readonly number[];
  readonly sign: 1 | -1;
  readonly objective: string;
  readonly constraints: readonly Constraint[];
  readonly count: number;
}

/** By configuration, the draws in which it meets the constraints and in which it is the best of those that do. */
function drawChances({ measured, sign, objective, constraints, sampler, count }: DrawQuestion) {
  if (!measured.some((index) => sampler.sources[index] !== 'none') || count * DRAWS > MOST_DRAWN) return undefined;
  const rng = createRng(deriveSeed(SEED, 'recommend'));
  const meets = new Int32Array(count);
  const best = new Int32Array(count);
  for (let draw = 0; draw < DRAWS; draw++) {
    const drawn = sampler.draw(rng);
    const values = drawn.get(objective) as Float64Array;
    let leader = -1;
    for (const index of measured) {
      if (constraints.some((gate) => missesGate(gate, drawn.get(gate.response)?.[index] as number))) continue;
      meets[index] = (meets[index] as number) + 1;
      if (leader < 0 || sign * ((values[index] as number) - (values[leader] as number)) < 0) leader = index;
    }
    if (leader >= 0) best[leader] = (best[leader] as number) + 1;
  }
  return { meets, best };
}
