import type { Problem } from '../errors.ts';
import { neighboursOf } from '../spec/index.ts';
import type { DesignMethod, ExperimentSpec, Load, Neighbour } from '../spec/types.ts';
import { BYTES_PER_MB } from '../units.ts';
import { unreachable } from '../unreachable.ts';
import { describeAliases } from './aliases.ts';
import { type ChosenPoints, choosePoints } from './choose-points.ts';
import { estimateRunS } from './estimate.ts';
import { countMatches, isExcluded } from './exclusions.ts';
import { gridSize, levelsAt } from './factorial.ts';
import { schedule } from './schedule.ts';
import type { PlannedConfiguration } from './types.ts';

/** What a spec would run, for `dse plan`. Plain JSON. */
export interface DesignDescription {
  readonly method: DesignMethod;
  readonly seed: number;
  readonly factors: readonly { readonly factor: string; readonly levels: readonly string[] }[];
  readonly fixed: readonly { readonly factor: string; readonly level: string }[];
  /** What is served beside the server under test, by level of `colocated`, in words. */
  readonly neighbours: readonly { readonly level: string; readonly neighbour: string }[];
  /** Combinations of all levels. */
  readonly gridPoints: number;
  /** Points the exclusions are applied to: the fraction of a fractional factorial, else the grid. */
  readonly candidates: number;
  /** How many of the candidates each rule matches by itself; rules may overlap. */
  readonly exclusions: readonly { readonly when: string; readonly why: string; readonly matches: number }[];
  /** Design points that are run. */
  readonly points: number;
  readonly replicates: number;
  readonly blocks: number;
  readonly trials: number;
  /** Launches of a server: configurations times blocks. */
  readonly launches: number;
  /** First guess, seconds; see `estimateRunS`. */
  readonly estimatedS: number;
  /** Generators, defining relation and aliases of a fractional factorial; empty for other methods. */
  readonly aliases: readonly string[];
  /** What would run, in order. */
  readonly order: readonly PlannedConfiguration[];
  readonly warnings: readonly Problem[];
}

/** @throws DesignError as `createDesign` does */
export function describeDesign(spec: ExperimentSpec): DesignDescription {
  const chosen = choosePoints(spec);
  const order = schedule(spec, chosen.points);
  const { method, seed, replicates } = spec.design;
  const exclusions = spec.exclude.map((rule) => ({
    when: Object.entries(rule.when)
      .map(([factor, names]) => `${factor}=${names.join('|')}`)
      .join(', '),
    why: rule.why,
    matches:
      chosen.fraction === undefined
        ? countMatches(spec, rule)
        : chosen.fraction.runs.filter((run) => isExcluded(levelsAt(spec, run), [rule])).length,
  }));
  return {
    method,
    seed,
    factors: Object.entries(spec.factors).map(([factor, levels]) => ({
      factor,
      levels: levels.map(({ name }) => name),
    })),
    fixed: Object.entries(spec.fixed).map(([factor, level]) => ({ factor, level: level.name })),
    neighbours: describeNeighbours(spec),
    gridPoints: gridSize(spec),
    candidates: chosen.candidates,
    exclusions,
    points: chosen.points.length,
    replicates,
    blocks: replicates,
    trials: chosen.points.length * replicates,
    launches: order.length,
    estimatedS: Math.round(estimateRunS(spec, order)),
    aliases: chosen.fraction === undefined ? [] : describeAliases(chosen.fraction),
    order,
    warnings: designWarnings(spec, chosen),
  };
}

function describeNeighbours({ factors, fixed }: ExperimentSpec): DesignDescription['neighbours'] {
  const levels = factors.colocated ?? (fixed.colocated === undefined ? [] : [fixed.colocated]);
  return levels.flatMap((level) =>
    neighboursOf(level).map((neighbour) => ({ level: level.name, neighbour: describeNeighbour(neighbour) })),
  );
}

function describeNeighbour({ name, model, variant, batch, threads, load, ...limits }: Neighbour): string {
  const { cpus, cpuset, memoryBytes } = limits;
  return [
    `${name}: ${model} ${variant}`,
    `batch ${batch}`,
    `threads ${threads}`,
    ...(cpus === undefined ? [] : [`${cpus} CPUs`]),
    cpuset === undefined ? "the server's CPUs" : `CPU set ${cpuset}`,
    ...(memoryBytes === undefined ? [] : [`${memoryBytes / BYTES_PER_MB} MB`]),
    describeLoad(load),
  ].join(', ');
}

function describeLoad(load: Load): string {
  switch (load.kind) {
    case 'utilization':
      return `${load.utilization * 100} % of what it can answer alone (${load.arrivals})`;
    case 'rate':
      return `${load.rateRps} requests/s (${load.arrivals})`;
    case 'concurrency':
      return `closed loop of ${load.concurrency}`;
    default:
      return unreachable(load);
  }
}

function designWarnings(spec: ExperimentSpec, { points, candidates, fraction }: ChosenPoints): Problem[] {
  const lost = candidates - points.length;
  if (fraction === undefined || lost === 0) return [];
  return [
    {
      where: spec.file,
      what: `exclusions take ${lost} of the ${candidates} runs of the fractional factorial`,
      hint: 'Its columns are then no longer orthogonal, and effects mix beyond the aliases listed. Take method: full-factorial, or levels that need no exclusion.',
    },
  ];
}
