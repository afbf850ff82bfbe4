import { findResponse } from '../spec/index.ts';
import { describe } from './moments.ts';
import { type RatioOfMeans, ratioOfMeans } from './ratio-of-means.ts';
import { levelsOf } from './table-cells.ts';
import type { Analysis, Configurations } from './types.ts';

const ALONE = 'none';
/** Factors that say what runs beside a server and where; a server that is alone is the same at every level of the second. */
const BESIDE = ['colocated', 'placement'];

/** What one response of a configuration comes to beside a neighbour, against the same configuration alone. */
export interface Interference {
  /** Index of the configuration with the neighbour. */
  readonly configuration: number;
  readonly response: string;
  readonly n: { readonly alone: number; readonly beside: number };
  readonly mean: { readonly alone: number; readonly beside: number };
  readonly outcome: (RatioOfMeans & { readonly slowdown: RatioOfMeans | undefined; readonly method: string }) | Reason;
}

interface Reason {
  readonly reason: string;
}

/** A response's values of one configuration, by block where there are blocks. */
interface Sample {
  readonly values: Float64Array;
  /** Beside `values`; undefined where the table names no blocks. */
  readonly blocks: readonly number[] | undefined;
}

/**
 * Compares every configuration that has neighbours with the one that differs only in having none, response by response.
 *
 * Nothing where the factor `colocated` is not among the factors, or has no level `none` to compare with.
 */
export function* findInterference(analysis: Analysis): Generator<Interference> {
  const { configurations, outcomeMeans } = analysis;
  const at = configurations.factors.indexOf('colocated');
  if (at < 0) return;
  const neighbourOf = (configuration: number) => levelsOf(configurations, configuration)[at];
  const alone = new Map<string, number>();
  for (let one = 0; one < configurations.count; one++)
    if (neighbourOf(one) === ALONE && !alone.has(keyOf(configurations, one)))
      alone.set(keyOf(configurations, one), one);
  if (alone.size === 0) return;
  for (let configuration = 0; configuration < configurations.count; configuration++) {
    if (neighbourOf(configuration) === ALONE) continue;
    const base = alone.get(keyOf(configurations, configuration));
    for (const response of outcomeMeans.keys()) {
      const beside = sampleOf(analysis, configuration, response);
      const before = base === undefined ? NOTHING : sampleOf(analysis, base, response);
      // A response that neither has was not measured here at all.
      if (beside.values.length === 0 && before.values.length === 0) continue;
      yield {
        configuration,
        response,
        n: { alone: before.values.length, beside: beside.values.length },
        mean: { alone: describe(before.values).mean, beside: describe(beside.values).mean },
        outcome:
          base === undefined
            ? { reason: 'no trial of this configuration alone' }
            : compare(beside, before, response, analysis),
      };
    }
  }
}

const NOTHING: Sample = { values: new Float64Array(), blocks: undefined };

/** Levels of everything but the neighbours. */
function keyOf(configurations: Configurations, configuration: number): string {
  const levels = levelsOf(configurations, configuration);
  return JSON.stringify(configurations.factors.map((factor, at) => (BESIDE.includes(factor) ? '' : levels[at])));
}

function sampleOf({ configurations, rowValues, blocks }: Analysis, configuration: number, response: string): Sample {
  const { offsets, rows } = configurations;
  const all = rowValues.get(response) as Float64Array;
  const own = [...rows.subarray(offsets[configuration], offsets[configuration + 1])].filter(
    (row) => !Number.isNaN(all[row]),
  );
  return {
    values: Float64Array.from(own, (row) => all[row] as number),
    blocks: blocks && own.map((row) => blocks.codes[row] as number),
  };
}

function compare(beside: Sample, alone: Sample, response: string, analysis: Analysis): Interference['outcome'] {
  if (beside.values.length === 0) return { reason: 'no valid trial beside the neighbour has it' };
  if (alone.values.length === 0) return { reason: 'no valid trial alone has it' };
  const pairs = pair(beside, alone);
  const [top, bottom] = pairs ?? [beside.values, alone.values];
  if (top.length === 0) return { reason: 'no block holds a valid trial of both' };
  if (describe(bottom).mean === 0) return { reason: 'it is 0 alone' };
  const definition = findResponse(response);
  // Of a column that dse does not know, nobody knows whether it may be below 0.
  const isNonNegative = definition !== undefined && definition.canBeNegative !== true;
  const { confidence } = analysis.options;
  const change = ratioOfMeans(top, bottom, { isPaired: pairs !== undefined, isNonNegative, confidence });
  const better = directionOf(response, analysis);
  const slowdown = better === undefined ? undefined : better === 'lower' ? change : inverse(change);
  const kind = pairs === undefined ? "unpaired, Welch's degrees of freedom" : 'paired by block';
  const cut = 'isCut' in change.interval && change.interval.isCut ? ' cut at 0' : '';
  return { ...change, slowdown, method: `ratio of means over replicates, Fieller's interval${cut}, ${kind}` };
}

/** Values of the blocks that both have, in the same order; undefined where there are no blocks, or one holds several trials of a configuration. */
function pair(one: Sample, other: Sample): readonly [Float64Array, Float64Array] | undefined {
  if (one.blocks === undefined || other.blocks === undefined) return undefined;
  const hasRepeats = [one.blocks, other.blocks].some((blocks) => new Set(blocks).size < blocks.length);
  if (hasRepeats) return undefined;
  const shared = one.blocks.filter((block) => other.blocks?.includes(block));
  const valuesOf = (sample: Sample) =>
    Float64Array.from(shared, (block) => sample.values[sample.blocks?.indexOf(block) as number] as number);
  return [valuesOf(one), valuesOf(other)];
}

/** The same comparison the other way round, so that above 1 is worse for a response of which more is better. */
function inverse({ ratio, interval }: RatioOfMeans): RatioOfMeans {
  if ('reason' in interval) return { ratio: 1 / ratio, interval };
  if (interval.lo <= 0) return { ratio: 1 / ratio, interval: { reason: 'beside the neighbour its mean may be 0' } };
  return { ratio: 1 / ratio, interval: { lo: 1 / interval.hi, hi: 1 / interval.lo, isCut: false } };
}

function directionOf(response: string, { options }: Analysis): 'lower' | 'higher' | undefined {
  const objective = options.objectives.find((one) => one.response === response);
  if (objective !== undefined) return objective.direction === 'minimize' ? 'lower' : 'higher';
  return findResponse(response)?.better;
}
