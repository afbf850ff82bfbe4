import type { Objective } from '../spec/types.ts';
import { tCritical } from '../student-t.ts';
import { adjustHolm } from './adjust-p.ts';
import { groupConfigurations } from './configurations.ts';
import { normalQuantile, tTwoSidedP } from './distributions.ts';
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

/** A difference with its standard error, before it is judged. */
interface Difference {
  readonly value: number;
  readonly standardError: number;
  readonly df: number;
  readonly sd: number;
  readonly method: string;
}

/**
 * Compares two runs, or two configurations of one, response by response over the configurations that both have.
 *
 * Per configuration: Welch's t over replicates, or t over the differences within blocks where both sides share them; with one replicate, the intervals of its windows. Overall: the mean
 * change over configurations taken as they are, errors added up; where no replicates and no intervals tell the noise, t over configurations. Times, energies and rates are compared as
 * ratios. Equivalence by two one-sided tests; p-values adjusted by Holm's method over responses, and over responses and configurations.
 * Sources: Welch (1947), Biometrika 34; Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15 (two one-sided tests); Hedges (1981), Journal of Educational Statistics 6(2).
 */
export function compareRuns(question: ComparisonQuestion): Comparison {
  const base = collect(question, question.base);
  const next = collect(question, question.next);
  const keys = [...base.keys()].filter((key) => next.has(key));
  const only = (some: ReadonlyMap<string, Collected>, other: ReadonlyMap<string, Collected>) =>
    [...some].filter(([key]) => !other.has(key)).map(([, { levels }]) => levels);
  const drafts = question.responses.map((response) => draftChanges(question, response, keys, base, next));
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
): { readonly overall: Draft[]; readonly byConfiguration: Draft[] } {
  const readers = [question.base.table, question.next.table].map((table) => createReader(table, response.response));
  const [readBase, readNext] = readers as [Reader, Reader];
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
    overall: [draft(combine(differences), mean(bases), mean(nexts), undefined, sides.length)],
    byConfiguration:
      sides.length < 2
        ? []
        : sides.map((side, at) =>
            draft(differences[at] as Difference, bases[at] as number, nexts[at] as number, side.levels, 1),
          ),
  };
}

/** Values of some rows with their blocks and the widths of their intervals. */
interface Sample {
  readonly values: readonly number[];
  readonly blocks: readonly string[];
  readonly widths: readonly (readonly [number, number])[];
}

type Reader = (rows: Int32Array) => Sample;

function createReader(table: Table, response: string): Reader {
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
      widths: present.map((row) => [lo?.[row] ?? Number.NaN, hi?.[row] ?? Number.NaN] as const),
    };
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample variance; 0 where all agree, whatever rounding would leave. */
function variance(values: readonly number[]): number {
  if (values.every((value) => value === values[0])) return 0;
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/** The difference of one configuration on the scale, its error from the best source there is. */
function differ(base: Sample, next: Sample, isLog: boolean, isPaired: boolean, z: number): Difference {
  const onScale = (value: number) => (isLog ? Math.log(value) : value);
  const [x, y] = [base.values.map(onScale), next.values.map(onScale)];
  const value = mean(y) - mean(x);
  const pairs = isPaired ? pairByBlock(base.blocks, x, next.blocks, y) : [];
  const [varX, varY] = [variance(x), variance(y)];
  const sd = Math.sqrt((varX * (x.length - 1) + varY * (y.length - 1)) / (x.length + y.length - 2));
  if (pairs.length > 1) {
    const standardError = Math.sqrt(variance(pairs) / pairs.length);
    return { value: mean(pairs), standardError, df: pairs.length - 1, sd, method: 'paired t over blocks' };
  }
  if (x.length > 1 && y.length > 1) {
    const [errorX, errorY] = [varX / x.length, varY / y.length];
    const total = errorX + errorY;
    const df =
      total === 0
        ? x.length + y.length - 2
        : total ** 2 / (errorX ** 2 / (x.length - 1) + errorY ** 2 / (y.length - 1));
    return { value, standardError: Math.sqrt(total), df, sd, method: "Welch's t over replicates" };
  }
  const errors = [base, next].map(
    ({ widths }) =>
      widths.map(([lo, hi]) => (onScale(hi) - onScale(lo)) / (2 * z)).reduce((sum, error) => sum + error ** 2, 0) /
      widths.length ** 2,
  );
  const standardError = Math.sqrt((errors[0] as number) + (errors[1] as number));
  return Number.isFinite(standardError)
    ? { value, standardError, df: Number.POSITIVE_INFINITY, sd: Number.NaN, method: 'intervals of the windows' }
    : { value, standardError: Number.NaN, df: 0, sd: Number.NaN, method: 'one replicate: nothing tells the noise' };
}

/** Differences within the blocks that stand once on both sides. */
function pairByBlock(
  blocksX: readonly string[],
  x: readonly number[],
  blocksY: readonly string[],
  y: readonly number[],
): number[] {
  return blocksX.flatMap((block, at) => {
    const other = blocksY.indexOf(block);
    const isOnce =
      other >= 0 && blocksX.indexOf(block) === blocksX.lastIndexOf(block) && other === blocksY.lastIndexOf(block);
    return block !== '' && isOnce ? [(y[other] as number) - (x[at] as number)] : [];
  });
}

/** The mean over configurations taken as they are: errors add up, degrees of freedom by Welch and Satterthwaite. */
function combine(differences: readonly Difference[]): Difference {
  const [first] = differences as readonly [Difference];
  if (differences.length === 1) return first;
  const value = mean(differences.map((one) => one.value));
  const count = differences.length;
  if (differences.some(({ standardError }) => Number.isNaN(standardError))) {
    const standardError = Math.sqrt(variance(differences.map((one) => one.value)) / count);
    return { value, standardError, df: count - 1, sd: Number.NaN, method: 't over configurations' };
  }
  const errors = differences.map(({ standardError }) => standardError ** 2);
  const total = errors.reduce((sum, error) => sum + error, 0);
  const spread = differences.reduce((sum, { df }, at) => sum + (errors[at] as number) ** 2 / df, 0);
  return {
    value,
    standardError: Math.sqrt(total) / count,
    df: spread === 0 ? Math.min(...differences.map(({ df }) => df)) : total ** 2 / spread,
    sd: Math.sqrt(mean(differences.map(({ sd }) => sd ** 2))),
    method: `${first.method}, errors of ${count} configurations added up`,
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
  const known = drafts.filter(({ p }) => !Number.isNaN(p));
  const adjusted = adjustHolm(known.map(({ p }) => p));
  return drafts.map((draft) => {
    const at = known.indexOf(draft);
    const adjustedP = at < 0 ? Number.NaN : (adjusted[at] as number);
    return { ...draft, adjustedP, verdict: verdictOf({ ...draft, adjustedP }, 1 - confidence) };
  });
}

function verdictOf(change: Draft & { readonly adjustedP: number }, level: number): ComparisonVerdict {
  if (change.equivalenceP < level) return 'equivalent';
  if (!(change.adjustedP < level)) return 'unclear';
  if (!change.isBeyondMargin) return 'small';
  return change.change > 0 === (change.direction === 'minimize') ? 'regression' : 'improvement';
}
