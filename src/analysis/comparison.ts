import type { Objective } from '../spec/types.ts';
import { tCritical } from '../student-t.ts';
import { adjustHolm } from './adjust-p.ts';
import { groupConfigurations } from './configurations.ts';
import { combine, type Difference, differ, mean, type Sample } from './difference.ts';
import { normalQuantile, tTwoSidedP } from './distributions.ts';
import { combineLaunches, groupSides } from './launch-differences.ts';
import { findLaunches } from './launches.ts';
import { chooseScale } from './response-scale.ts';
import { levelsOf } from './table-cells.ts';
import type { Table } from './types.ts';
import { selectRows } from './usable-rows.ts';

/** A response to compare, which way is better, and from which change on it matters: a share of the base, or an amount. */
export interface ComparedResponse extends Objective {
  readonly margin: { readonly kind: 'share' | 'amount'; readonly value: number };
}

/** One side of a comparison. */
export interface ComparedSide {
  readonly table: Table;
  /** Only rows at these levels; their factors do not tell configurations apart. */
  readonly levels: ReadonlyMap<string, string>;
}

export interface ComparisonQuestion {
  readonly base: ComparedSide;
  readonly next: ComparedSide;
  /** What makes a configuration, on both sides. */
  readonly factors: readonly string[];
  readonly responses: readonly ComparedResponse[];
  /** Whether both sides are of one run, so that trials of one block can be paired. */
  readonly isPaired: boolean;
  readonly confidence: number;
}

/**
 * - `regression`: worse beyond noise (adjusted p below 1 - confidence) and by more than the margin
 * - `improvement`: better, likewise
 * - `equivalent`: surely within the margin
 * - `small`: beyond noise, but less than the margin
 * - `unclear`: neither beyond noise nor surely within the margin
 */
export type ComparisonVerdict = 'regression' | 'improvement' | 'equivalent' | 'small' | 'unclear';

/** The change of one response, over all configurations or in one. */
export interface Change {
  readonly response: string;
  readonly direction: Objective['direction'];
  /** Levels of the configuration; undefined for the mean over all. */
  readonly configuration: readonly string[] | undefined;
  readonly configurations: number;
  readonly base: number;
  readonly next: number;
  /** As a share of the base where the margin is one, in the unit of the response otherwise; above 0 where the response grew. NaN ends where nothing tells. */
  readonly change: number;
  readonly lo: number;
  readonly hi: number;
  readonly unit: 'share' | 'amount';
  /** Difference in standard deviations between replicates, corrected for few (Hedges' g); NaN without replicates. */
  readonly effectSize: number;
  readonly p: number;
  readonly adjustedP: number;
  /** Probability of the two one-sided tests that the change is beyond the margin after all. */
  readonly equivalenceP: number;
  readonly margin: number;
  /** Whether the change itself, not its interval, is beyond the margin; a ratio either way. */
  readonly isBeyondMargin: boolean;
  readonly method: string;
  readonly verdict: ComparisonVerdict;
}

export interface Comparison {
  readonly overall: readonly Change[];
  readonly byConfiguration: readonly Change[];
  readonly matched: number;
  /** Configurations with usable trials on one side only. */
  readonly onlyBase: readonly (readonly string[])[];
  readonly onlyNext: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/**
 * Compares two runs, or two configurations of one, response by response over the configurations that both have.
 *
 * Per configuration: Welch's t over replicates, or t over the differences within blocks where both sides share them; with one replicate, the intervals of its windows. Overall: the mean
 * change over configurations taken as they are, errors added up, of configurations that share launches by the means of launches; where no replicates and no intervals tell the noise, t over configurations. Times, energies and rates are compared as
 * ratios. Equivalence by two one-sided tests; p-values adjusted by Holm's method over responses, and over responses and configurations.
 * Sources: Welch (1947), Biometrika 34; Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15 (two one-sided tests); Hedges (1981), Journal of Educational Statistics 6(2).
 */
export function compareRuns(question: ComparisonQuestion): Comparison {
  const base = collect(question, question.base);
  const next = collect(question, question.next);
  const keys = [...base.keys()].filter((key) => next.has(key));
  const only = (some: ReadonlyMap<string, Collected>, other: ReadonlyMap<string, Collected>) =>
    [...some].filter(([key]) => !other.has(key)).map(([, { levels }]) => levels);
  const launches = { base: launchesOf(question, question.base), next: launchesOf(question, question.next) };
  const drafts = question.responses.map((response) => draftChanges(question, response, keys, base, next, launches));
  const overall = judge(
    drafts.flatMap((draft) => draft.overall),
    question.confidence,
  );
  const byConfiguration = judge(
    drafts.flatMap((draft) => draft.byConfiguration),
    question.confidence,
  );
  return {
    overall,
    byConfiguration,
    matched: keys.length,
    onlyBase: only(base, next),
    onlyNext: only(next, base),
    notes: question.responses
      .filter(({ response }) => !overall.some((change) => change.response === response))
      .map(({ response }) => `no configuration has ${response} on both sides, so it is not compared`),
  };
}

function launchesOf({ factors }: ComparisonQuestion, { table, levels }: ComparedSide): Int32Array | undefined {
  return findLaunches(table, [...new Set([...levels.keys(), ...factors])]);
}

/** The usable rows of a configuration on one side. */
interface Collected {
  readonly levels: readonly string[];
  readonly rows: Int32Array;
}

function collect({ factors }: ComparisonQuestion, { table, levels }: ComparedSide): Map<string, Collected> {
  const { isUsable } = selectRows(table);
  const selectors = [...levels.keys()];
  const named = [...selectors, ...factors.filter((factor) => !levels.has(factor))];
  const configurations = groupConfigurations(table, named, isUsable);
  const found = new Map<string, Collected>();
  for (let index = 0; index < configurations.count; index++) {
    const all = levelsOf(configurations, index);
    if (!selectors.every((factor, at) => levels.get(factor) === all[at])) continue;
    const rows = configurations.rows.subarray(configurations.offsets[index], configurations.offsets[index + 1]);
    const own = all.slice(selectors.length);
    if (rows.length > 0) found.set(JSON.stringify(own), { levels: own, rows });
  }
  return found;
}

type Draft = Omit<Change, 'adjustedP' | 'verdict'>;

function draftChanges(
  question: ComparisonQuestion,
  response: ComparedResponse,
  keys: readonly string[],
  base: ReadonlyMap<string, Collected>,
  next: ReadonlyMap<string, Collected>,
  launches: { readonly base: Int32Array | undefined; readonly next: Int32Array | undefined },
): { readonly overall: Draft[]; readonly byConfiguration: Draft[] } {
  const [readBase, readNext] = (['base', 'next'] as const).map((side) =>
    createReader(question[side].table, response.response, launches[side]),
  ) as [Reader, Reader];
  const sides = keys
    .map((key) => {
      const [one, other] = [base.get(key) as Collected, next.get(key) as Collected];
      return { levels: one.levels, base: readBase(one.rows), next: readNext(other.rows) };
    })
    .filter((side) => side.base.values.length > 0 && side.next.values.length > 0);
  if (sides.length === 0) return { overall: [], byConfiguration: [] };
  const everything = Float64Array.from(sides.flatMap((side) => [...side.base.values, ...side.next.values]));
  const isLog = response.margin.kind === 'share' && chooseScale(response.response, everything) === 'log';
  const z = normalQuantile((1 + question.confidence) / 2);
  const differences = sides.map((side) => differ(side.base, side.next, isLog, question.isPaired, z));
  const together = groupSides(sides).map((members) =>
    combineLaunches(members, differences, isLog, question.isPaired, z),
  );
  const meansOf = (side: 'base' | 'next') => sides.map((one) => mean(one[side].values));
  const [bases, nexts] = [meansOf('base'), meansOf('next')];
  const draft = (
    difference: Difference,
    baseMean: number,
    nextMean: number,
    levels: readonly string[] | undefined,
    count: number,
  ) => toDraft(response, difference, baseMean, nextMean, levels, count, isLog, question.confidence);
  return {
    overall: [draft(combine(together), mean(bases), mean(nexts), undefined, sides.length)],
    byConfiguration:
      sides.length < 2
        ? []
        : sides.map((side, at) =>
            draft(differences[at] as Difference, bases[at] as number, nexts[at] as number, side.levels, 1),
          ),
  };
}

type Reader = (rows: Int32Array) => Sample;

/** Shared by all rows of a table without intervals, which may be millions. */
const UNKNOWN_WIDTH = [Number.NaN, Number.NaN] as const;

function createReader(table: Table, response: string, launches: Int32Array | undefined): Reader {
  const numbers = (name: string) => {
    const column = table.columns.get(name);
    return column?.kind === 'number' ? column.values : undefined;
  };
  const [values, lo, hi] = [numbers(response), numbers(`${response}_lo`), numbers(`${response}_hi`)];
  const block = table.columns.get('block');
  const blockOf = (row: number) => {
    if (block === undefined) return '';
    return block.kind === 'number' ? String(block.values[row]) : (block.levels[block.codes[row] as number] ?? '');
  };
  return (rows) => {
    const present = [...rows].filter((row) => !Number.isNaN(values?.[row] ?? Number.NaN));
    return {
      values: present.map((row) => values?.[row] as number),
      blocks: present.map(blockOf),
      launches: launches === undefined ? [] : present.map((row) => launches[row] as number),
      widths: present.map((row) => (lo && hi ? ([lo[row] as number, hi[row] as number] as const) : UNKNOWN_WIDTH)),
    };
  };
}

function toDraft(
  { response, direction, margin }: ComparedResponse,
  { value, standardError, df, sd, method }: Difference,
  base: number,
  next: number,
  configuration: readonly string[] | undefined,
  configurations: number,
  isLog: boolean,
  confidence: number,
): Draft {
  const toChange = (difference: number) => {
    if (isLog) return Math.expm1(difference);
    return margin.kind === 'share' ? difference / Math.abs(base) : difference;
  };
  const halfWidth = quantileOf(confidence, df) * standardError;
  // The margin on the scale of the difference; a ratio is as far from 1 either way.
  const limit = isLog
    ? Math.log1p(margin.value)
    : margin.kind === 'share'
      ? margin.value * Math.abs(base)
      : margin.value;
  return {
    response,
    direction,
    configuration,
    configurations,
    base,
    next,
    change: toChange(value),
    lo: toChange(value - halfWidth),
    hi: toChange(value + halfWidth),
    unit: margin.kind,
    effectSize: hedges(value, sd, df),
    p: twoSidedP(value, standardError, df),
    equivalenceP: Math.max(
      upperP((limit - value) / standardError, df, limit - value),
      upperP((value + limit) / standardError, df, value + limit),
    ),
    margin: margin.value,
    isBeyondMargin: Math.abs(value) > limit,
    method,
  };
}

function quantileOf(confidence: number, df: number): number {
  if (!(df > 0)) return Number.NaN;
  return Number.isFinite(df) ? tCritical(confidence, df) : normalQuantile((1 + confidence) / 2);
}

function hedges(value: number, sd: number, df: number): number {
  return sd > 0 && Number.isFinite(df) ? (value / sd) * (1 - 3 / (4 * df - 1)) : Number.NaN;
}

/** Of no difference. Without any noise, a difference is certain and none is none. */
function twoSidedP(value: number, standardError: number, df: number): number {
  if (standardError === 0) return value === 0 ? 1 : 0;
  if (!(df > 0)) return Number.NaN;
  return Number.isFinite(df) ? tTwoSidedP(value / standardError, df) : tTwoSidedP(value / standardError, 1e9);
}

/** Probability of a t at least as large; `distance` decides where there is no noise. */
function upperP(t: number, df: number, distance: number): number {
  if (!(df > 0)) return Number.NaN;
  if (Number.isNaN(t) || !Number.isFinite(t)) return distance > 0 ? 0 : 1;
  const half = tTwoSidedP(t, Number.isFinite(df) ? df : 1e9) / 2;
  return t > 0 ? half : 1 - half;
}

function judge(drafts: readonly Draft[], confidence: number): Change[] {
  const adjusted = adjustHolm(drafts.flatMap(({ p }) => (Number.isNaN(p) ? [] : [p])));
  let at = 0;
  return drafts.map((draft) => {
    const adjustedP = Number.isNaN(draft.p) ? Number.NaN : (adjusted[at++] as number);
    return { ...draft, adjustedP, verdict: verdictOf(draft, adjustedP, 1 - confidence) };
  });
}

function verdictOf(change: Draft, adjustedP: number, level: number): ComparisonVerdict {
  if (change.equivalenceP < level) return 'equivalent';
  if (!(adjustedP < level)) return 'unclear';
  if (!change.isBeyondMargin) return 'small';
  return change.change > 0 === (change.direction === 'minimize') ? 'regression' : 'improvement';
}
