import type { Objective } from '../spec/types.ts';
import { findFront } from './pareto.ts';
import type { Configurations, Constraint, Front, LeftOut } from './types.ts';

/**
 * Configurations that no front can hold, each with all its reasons: no usable row, an objective that was not measured, or a missed constraint.
 *
 * @param means - by response, one value per configuration, NaN where it has none
 */
export function findLeftOut(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
  constraints: readonly Constraint[],
): LeftOut[] {
  const leftOut: LeftOut[] = [];
  for (let configuration = 0; configuration < configurations.count; configuration++) {
    const reasons = reasonsAgainst(configuration, configurations, means, objectives, constraints);
    if (reasons.length > 0) leftOut.push({ configuration, reason: reasons.join('; ') });
  }
  return leftOut;
}

function reasonsAgainst(
  configuration: number,
  { offsets }: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
  constraints: readonly Constraint[],
): string[] {
  if (offsets[configuration] === offsets[configuration + 1]) return ['every trial failed or is invalid'];
  const meanOf = (response: string) => means.get(response)?.[configuration] as number;
  return [
    ...objectives
      .filter(({ response }) => Number.isNaN(meanOf(response)))
      .map(({ response }) => `${response} was not measured`),
    ...constraints.flatMap(({ response, relation, limit }) => {
      const value = meanOf(response);
      if (Number.isNaN(value))
        return [`${response} was not measured, so ${response} ${relation} ${limit} is not known to hold`];
      const holds = relation === '<=' ? value <= limit : value >= limit;
      return holds ? [] : [`misses ${response} ${relation} ${limit} (is ${value})`];
    }),
  ];
}

/** The front over all configurations, and one for each value of each context. */
export function findFronts(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
  contexts: readonly string[],
  leftOut: readonly LeftOut[],
): Front[] {
  const isLeftOut = new Uint8Array(configurations.count);
  for (const { configuration } of leftOut) isLeftOut[configuration] = 1;
  const frontOf = (name: string, members: Int32Array): Front => ({
    name,
    members,
    onFront: markFront(members, isLeftOut, means, objectives),
  });
  const everyone = new Int32Array(configurations.count).map((_, index) => index);
  return [
    frontOf('all', everyone),
    ...contexts.flatMap((context) => {
      const factor = configurations.factors.indexOf(context);
      const codes = configurations.codes[factor] as Int32Array;
      return (configurations.levels[factor] as readonly string[]).flatMap((level, code) => {
        const members = everyone.filter((configuration) => codes[configuration] === code);
        // A level that only a dictionary still knows has no configuration and no front.
        return members.length === 0 ? [] : [frontOf(`${context}=${level}`, members)];
      });
    }),
  ];
}

function markFront(
  members: Int32Array,
  isLeftOut: Uint8Array,
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
): Uint8Array {
  const places = Uint32Array.from(members.keys()).filter((place) => isLeftOut[members[place] as number] === 0);
  const marks = findFront(
    objectives.map(({ response, direction }) => {
      const values = means.get(response) as Float64Array;
      return { direction, values: Float64Array.from(places, (place) => values[members[place] as number] as number) };
    }),
  );
  const onFront = new Uint8Array(members.length);
  for (const [index, place] of places.entries()) onFront[place] = marks[index] as number;
  return onFront;
}
