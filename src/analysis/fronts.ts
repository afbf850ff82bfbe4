import { BASE_VARIANT } from '../spec/index.ts';
import type { Objective } from '../spec/types.ts';
import { findFront } from './pareto.ts';
import { indicesUpTo } from './ranks.ts';
import type { Configurations, Constraint, Front, LeftOut } from './types.ts';

/**
 * Configurations that no front can hold, each with all its reasons: no usable row, an objective that was not measured, or a missed constraint.
 *
 * @param means - by response, one value per configuration, NaN where it has none; losses too
 * @param bases - of every configuration, where a loss is limited
 */
export function findLeftOut(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  {
    objectives,
    constraints,
  }: { readonly objectives: readonly Objective[]; readonly constraints: readonly Constraint[] },
  bases: Int32Array,
): LeftOut[] {
  const measured = objectives.map(({ response }) => ({ response, values: means.get(response) as Float64Array }));
  const gates = constraints.map((constraint) => ({
    ...constraint,
    values: means.get(constraint.response) as Float64Array,
    ...(constraint.lossOf === undefined
      ? {}
      : { loss: { of: constraint.lossOf, values: means.get(constraint.lossOf) as Float64Array, bases } }),
  }));
  const leftOut: LeftOut[] = [];
  for (let configuration = 0; configuration < configurations.count; configuration++) {
    const reason = findReason(configuration, configurations, measured, gates);
    if (reason !== undefined) leftOut.push({ configuration, reason });
  }
  return leftOut;
}

interface Measured {
  readonly response: string;
  readonly values: Float64Array;
}

interface Gate extends Measured, Constraint {
  /** Where a loss is limited: the values it is worked out from. */
  readonly loss?: { readonly of: string; readonly values: Float64Array; readonly bases: Int32Array };
}

/** Whether a value misses a constraint; what was not measured does not meet it. */
export function missesGate({ relation, limit }: Pick<Constraint, 'relation' | 'limit'>, value: number): boolean {
  return relation === '<=' ? !(value <= limit) : !(value >= limit);
}

/** Every reason in one sentence; undefined where there is none. */
function findReason(
  configuration: number,
  { offsets }: Configurations,
  measured: readonly Measured[],
  gates: readonly Gate[],
): string | undefined {
  if (offsets[configuration] === offsets[configuration + 1]) return 'every trial failed or is invalid';
  let reason: string | undefined;
  // No array and no function of its own for each of a million configurations, hardly any of which has a reason.
  for (const { response, values } of measured) {
    if (Number.isNaN(values[configuration])) reason = join(reason, `${response} was not measured`);
  }
  for (const gate of gates) {
    const text = sayMiss(configuration, gate);
    if (text !== undefined) reason = join(reason, text);
  }
  return reason;
}

function join(reason: string | undefined, text: string): string {
  return reason === undefined ? text : `${reason}; ${text}`;
}

/** Why a constraint is missed, or is not known to hold; undefined where it is met. */
function sayMiss(configuration: number, { response, relation, limit, values, loss }: Gate): string | undefined {
  const value = values[configuration] as number;
  if (loss !== undefined) return sayLoss(configuration, value, limit, loss);
  if (Number.isNaN(value))
    return `${response} was not measured, so ${response} ${relation} ${limit} is not known to hold`;
  return missesGate({ relation, limit }, value) ? `misses ${response} ${relation} ${limit} (is ${value})` : undefined;
}

/** Why a loss misses its limit, or is not known; undefined where it is within it. */
function sayLoss(
  configuration: number,
  share: number,
  limit: number,
  { of, values, bases }: NonNullable<Gate['loss']>,
): string | undefined {
  const [value, base] = [values[configuration] as number, bases[configuration] as number];
  const most = `${percent(limit)} of ${of}`;
  if (!Number.isNaN(share)) {
    if (!missesGate({ relation: '<=', limit }, share)) return undefined;
    return `loses more than ${most} (${percent(share)}: ${value} against ${values[base]} at variant=${BASE_VARIANT})`;
  }
  const unknown = `so a loss of at most ${most} is not known to hold`;
  if (Number.isNaN(value)) return `${of} was not measured, ${unknown}`;
  if (base < 0) return `there is no variant=${BASE_VARIANT} of the same configuration, ${unknown}`;
  const found = values[base] as number;
  const reason = Number.isNaN(found) ? `has no ${of}` : `gives ${found} for ${of}`;
  return `variant=${BASE_VARIANT} of the same configuration ${reason}, ${unknown}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** Per configuration, 1 where it was left out. */
export function markLeftOut({ count }: Configurations, leftOut: readonly LeftOut[]): Uint8Array {
  const isLeftOut = new Uint8Array(count);
  for (const { configuration } of leftOut) isLeftOut[configuration] = 1;
  return isLeftOut;
}

/** The front over all configurations, and one for each value of each context. */
export function findFronts(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
  contexts: readonly string[],
  leftOut: readonly LeftOut[],
): Front[] {
  const isLeftOut = markLeftOut(configurations, leftOut);
  const frontOf = (name: string, members: Int32Array): Front => ({
    name,
    members,
    onFront: markFront(members, isLeftOut, means, objectives),
  });
  const everyone = Int32Array.from(indicesUpTo(configurations.count));
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

/** 1 for every member that no other dominates, those left out aside. */
export function markFront(
  members: Int32Array,
  isLeftOut: Uint8Array,
  means: ReadonlyMap<string, Float64Array>,
  objectives: readonly Objective[],
): Uint8Array {
  const places = indicesUpTo(members.length).filter((place) => isLeftOut[members[place] as number] === 0);
  const marks = findFront(
    objectives.map(({ response, direction }) => {
      const ofAll = means.get(response) as Float64Array;
      const values = new Float64Array(places.length);
      for (let at = 0; at < places.length; at++) values[at] = ofAll[members[places[at] as number] as number] as number;
      return { direction, values };
    }),
  );
  const onFront = new Uint8Array(members.length);
  for (let at = 0; at < places.length; at++) onFront[places[at] as number] = marks[at] as number;
  return onFront;
}
