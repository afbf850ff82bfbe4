import { type CodedFactor, listTerms, type Term } from './effect-terms.ts';
import { invertCholesky, solveTransposed } from './symmetric.ts';
import { codeCells, countCellPairs, countCells, type PlacedTerm, placeTerms, sumByColumn } from './term-cells.ts';

/** A term of the model with its columns and cells. */
export interface ModelTerm extends PlacedTerm {
  /** Other terms that explain some of the same, wholly or in part, and were left out for it. */
  readonly aliasedWith: readonly string[];
}

/** A term that the rows cannot tell apart from others, and why. */
export interface ExcludedTerm extends Term {
  readonly reason: string;
}

/** A linear model of main effects and interactions, ready to be fitted to any response of its rows. */
export interface FactorModel {
  readonly rowCount: number;
  readonly factors: readonly CodedFactor[];
  readonly blockIndex: number;
  readonly terms: readonly ModelTerm[];
  readonly excluded: readonly ExcludedTerm[];
  /** Columns of the model matrix, the first for the mean. */
  readonly size: number;
  /** Inverse of the cross products of the columns. */
  readonly inverse: Float64Array;
  /** By column: from where to before where its inverse is not 0; in balanced designs only among the columns of its own term. */
  readonly inverseSpans: Uint32Array;
  /** The cell of each row in each term, `terms.length` to a row: all that the model matrix holds. */
  readonly cells: Int32Array;
  readonly cellTotal: number;
  /** Rows by cell. */
  readonly cellRows: Float64Array;
  /** Per row, from 0, where some rows share a launch: what they have in common by chance. */
  readonly launches: Launches | undefined;
}

/** Rows by the launch of a server that they share. */
export interface Launches {
  readonly codes: Int32Array;
  readonly count: number;
  /** By factor of the model: whether a launch saw several of its levels. */
  readonly isVariedWithin: readonly boolean[];
}

/** Interactions are left out where their products of columns would take longer than some seconds. */
const LARGEST_WORK = 4e8;
const LARGEST_SIZE = 500;
/** With fewer degrees of freedom for error than this, interactions are given up for them. */
const LEAST_ERROR_DF = 3;
/** A column this close to what other columns make is taken for one that they make. */
const ALIAS_TOLERANCE = 1e-9;

/**
 * The model with sum-to-zero coding, without the terms that its rows cannot tell apart: each term is a difference between levels averaged evenly over the levels of the others,
 * also where the design is incomplete.
 *
 * Terms are taken in order, main effects first; one of which any column follows from columns taken before is left out, and so are all interactions where they would leave
 * fewer than 3 degrees of freedom for error, or where the model would be too large.
 * @param factors - codes of as many rows each; a factor with one level has no term
 * @param blockIndex - which of them is the block, -1 for none
 * @param launches - per row its launch, any number: then interactions are left out by what they leave for the error between launches and for that within them
 * Source: Searle (1987), "Linear Models for Unbalanced Data", ch. 9 (sum-to-zero restrictions).
 */
export function buildFactorModel(
  factors: readonly CodedFactor[],
  blockIndex: number,
  launches?: Int32Array,
): FactorModel {
  const shared = launches === undefined ? undefined : codeLaunches(factors, launches);
  const model = chooseTerms(factors, blockIndex, shared);
  return { ...model, launches: shared };
}

type UnsharedModel = Omit<FactorModel, 'launches'>;

function chooseTerms(
  factors: readonly CodedFactor[],
  blockIndex: number,
  launches: Launches | undefined,
): UnsharedModel {
  const rowCount = factors[0]?.codes.length ?? 0;
  const all = listTerms(factors, blockIndex);
  const without = (isDropped: (term: Term) => boolean, reason: string) =>
    chooseColumns(
      all.filter((term) => !isDropped(term)),
      factors,
      rowCount,
      blockIndex,
      all.filter(isDropped).map((term) => ({ ...term, reason })),
    );
  const isInteraction = ({ kind }: Term) => kind === 'interaction';
  const giveUp = (reason: string) => without(isInteraction, reason);
  if (estimateWork(all, rowCount) > LARGEST_WORK || countColumns(all) > LARGEST_SIZE) {
    return giveUp(`main effects only: ${rowCount} rows with ${countColumns(all)} columns are too many`);
  }
  const model = chooseColumns(all, factors, rowCount, blockIndex, []);
  if (launches !== undefined) {
    const isWithin = (term: Term) => term.factors.some((factor) => launches.isVariedWithin[factor]);
    const lacks = (['between', 'within'] as const).flatMap((stratum) => {
      const belongs = (term: Term) => isWithin(term) === (stratum === 'within');
      const left = countErrorDf(model, launches, isWithin)[stratum];
      const isShort = left < LEAST_ERROR_DF && model.terms.some((term) => isInteraction(term) && belongs(term));
      return isShort ? [{ belongs, left, stratum }] : [];
    });
    if (lacks.length === 0) return model;
    const told = lacks
      .map(({ left, stratum }) => `${left} degrees of freedom for error ${stratum} launches`)
      .join(' and ');
    return without(
      (term) => isInteraction(term) && lacks.some(({ belongs }) => belongs(term)),
      `left out: such interactions would leave ${told}, ${LEAST_ERROR_DF} are needed; add replicates`,
    );
  }
  const hasInteractions = model.terms.some(({ kind }) => kind === 'interaction');
  if (!hasInteractions || rowCount - model.size >= LEAST_ERROR_DF) return model;
  return giveUp(
    `main effects only: interactions would leave ${rowCount - model.size} degrees of freedom for error, ${LEAST_ERROR_DF} are needed; add replicates`,
  );
}

/** Launches numbered from 0; undefined where no two rows share one. */
function codeLaunches(factors: readonly CodedFactor[], given: Int32Array): Launches | undefined {
  const numbers = new Map<number, number>();
  const first: number[] = [];
  const isVariedWithin = factors.map(() => false);
  const codes = given.map((launch, row) => {
    const known = numbers.get(launch);
    if (known === undefined) {
      numbers.set(launch, first.length);
      return first.push(row) - 1;
    }
    for (const [index, factor] of factors.entries()) {
      if (factor.codes[row] !== factor.codes[first[known] as number]) isVariedWithin[index] = true;
    }
    return known;
  });
  return first.length === given.length ? undefined : { codes, count: first.length, isVariedWithin };
}

/** What the terms leave for error, if those that vary within launches can all be told there. */
function countErrorDf({ terms, rowCount, size }: UnsharedModel, launches: Launches, isWithin: (term: Term) => boolean) {
  const within = terms.filter(isWithin).reduce((sum, { df }) => sum + df, 0);
  return { between: launches.count - (size - within), within: rowCount - launches.count - within };
}

/** Cross products of the columns of a model. */
export function productsOf({ terms, size, cells, cellTotal, rowCount }: FactorModel): Float64Array {
  return crossProducts(terms, size, { cellTotal, pairs: countCellPairs(cells, terms.length, cellTotal, rowCount) });
}

function countColumns(terms: readonly Term[]): number {
  return terms.reduce((sum, { df }) => sum + df, 1);
}

/** Pairs of terms to count a cell for, over all rows. */
function estimateWork(terms: readonly Term[], rowCount: number): number {
  return (rowCount * terms.length ** 2) / 2;
}

function chooseColumns(
  candidates: readonly Term[],
  factors: readonly CodedFactor[],
  rowCount: number,
  blockIndex: number,
  givenUp: readonly ExcludedTerm[],
): UnsharedModel {
  const everything = placeTerms(candidates, factors);
  const size = countColumns(candidates);
  const whole = countRows(everything, factors, rowCount);
  const { kept, aliases, lower } = dropAliased(everything, crossProducts(everything, size, whole), size);
  const terms = placeTerms(kept, factors).map((term) => ({
    ...term,
    aliasedWith: aliases.filter(({ others }) => others.includes(term.name)).map(({ term: { name } }) => name),
  }));
  const isSame = kept.length === candidates.length;
  const { cells, cellTotal, pairs } = isSame ? whole : countRows(terms, factors, rowCount);
  const keptSize = countColumns(kept);
  const inverse = invertCholesky(lower, keptSize);
  return {
    rowCount,
    factors,
    blockIndex,
    terms,
    excluded: [
      ...aliases.map(({ term, others }) => ({ ...term, reason: describeAlias(term, others, factors) })),
      ...givenUp,
    ],
    size: keptSize,
    inverse,
    inverseSpans: findSpans(inverse, keptSize),
    cells,
    cellTotal,
    cellRows: Float64Array.from({ length: cellTotal }, (_, cell) => pairs[cell * cellTotal + cell] as number),
  };
}

/** By row of a square matrix: the first entry that is not 0, and the one after the last. */
function findSpans(matrix: Float64Array, size: number): Uint32Array {
  const spans = new Uint32Array(2 * size);
  for (let row = 0; row < size; row++) {
    const entries = matrix.subarray(row * size, (row + 1) * size);
    let [from, to] = [0, size];
    while (from < to && entries[from] === 0) from++;
    while (to > from && entries[to - 1] === 0) to--;
    spans.set([from, to], 2 * row);
  }
  return spans;
}

/** How many rows share each two cells, and where every row belongs. */
function countRows(terms: readonly PlacedTerm[], factors: readonly CodedFactor[], rowCount: number) {
  const cells = codeCells(terms, factors, rowCount);
  const cellTotal = countCells(terms);
  return { cells, cellTotal, pairs: countCellPairs(cells, terms.length, cellTotal, rowCount) };
}

/** Cross products of the columns: what is summed by cell is summed by column once over the rows and once over the columns of the pairs. */
function crossProducts(
  terms: readonly PlacedTerm[],
  size: number,
  { cellTotal, pairs }: { readonly cellTotal: number; readonly pairs: Float64Array },
): Float64Array {
  const half = new Float64Array(size * cellTotal);
  for (let cell = 0; cell < cellTotal; cell++) {
    const sums = sumByColumn(terms, size, pairs.subarray(cell * cellTotal, (cell + 1) * cellTotal));
    for (let column = 0; column < size; column++) half[column * cellTotal + cell] = sums[column] as number;
  }
  const products = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const sums = half.subarray(column * cellTotal, (column + 1) * cellTotal);
    products.set(sumByColumn(terms, size, sums), column * size);
  }
  return products;
}

interface Alias {
  readonly term: Term;
  readonly others: readonly string[];
}

/** Takes the terms in order and leaves out each of which a column follows from those taken before; a Cholesky factor that grows shows it by a pivot of 0, and is that of the terms kept in the end. */
function dropAliased<T extends Term & { readonly from: number }>(
  terms: readonly T[],
  products: Float64Array,
  size: number,
): { readonly kept: readonly T[]; readonly aliases: readonly Alias[]; readonly lower: Float64Array } {
  const lower = new Float64Array(size * size);
  const taken: number[] = [];
  const kept: T[] = [];
  const aliases: Alias[] = [];
  const ownerOf = (column: number) => kept.find(({ from, df }) => column >= from && column < from + df)?.name;
  // Adds a row to the factor, or returns how the column hangs together with those taken.
  const take = (column: number): Float64Array | undefined => {
    const count = taken.length;
    const against = Float64Array.from(taken, (other) => products[column * size + other] as number);
    const row = solveStrided(lower, size, count, against);
    let pivot = products[column * size + column] as number;
    const scale = pivot;
    for (const value of row) pivot -= value * value;
    if (pivot <= ALIAS_TOLERANCE * scale) return row;
    lower.set(row, count * size);
    lower[count * size + count] = Math.sqrt(pivot);
    taken.push(column);
    return undefined;
  };
  take(0);
  for (const term of terms) {
    const before = taken.length;
    let dependence: Float64Array | undefined;
    for (let column = term.from; column < term.from + term.df && dependence === undefined; column++) {
      dependence = take(column);
    }
    if (dependence === undefined) {
      kept.push(term);
      continue;
    }
    const count = taken.length;
    const shares = solveTransposed(compact(lower, size, count), count, dependence);
    const owners = new Set(
      taken.flatMap((column, at) => (Math.abs(shares[at] as number) > 1e-6 ? [ownerOf(column)] : [])),
    );
    taken.length = before;
    aliases.push({ term, others: [...owners].filter((name) => name !== undefined) });
  }
  return { kept, aliases, lower: compact(lower, size, taken.length) };
}

function solveStrided(lower: Float64Array, size: number, count: number, b: Float64Array): Float64Array {
  const x = b.slice();
  for (let row = 0; row < count; row++) {
    let sum = x[row] as number;
    const base = row * size;
    for (let k = 0; k < row; k++) sum -= (lower[base + k] as number) * (x[k] as number);
    x[row] = sum / (lower[base + row] as number);
  }
  return x;
}

function compact(lower: Float64Array, size: number, count: number): Float64Array {
  const dense = new Float64Array(count * count);
  for (let row = 0; row < count; row++) dense.set(lower.subarray(row * size, row * size + count), row * count);
  return dense;
}

function describeAlias(term: Term, others: readonly string[], factors: readonly CodedFactor[]): string {
  const [first, second] = term.factors as readonly [number, number | undefined];
  if (second !== undefined) {
    const a = factors[first] as CodedFactor;
    const b = factors[second] as CodedFactor;
    const possible = a.levels.length * b.levels.length;
    const isSeen = new Uint8Array(possible);
    for (let row = 0; row < a.codes.length; row++) {
      isSeen[(a.codes[row] as number) * b.levels.length + (b.codes[row] as number)] = 1;
    }
    const seen = isSeen.reduce((sum, mark) => sum + mark, 0);
    if (seen < possible) {
      return `${possible - seen} of ${possible} combinations of ${a.name} and ${b.name} have no value`;
    }
  }
  return `cannot be told apart from ${others.length === 0 ? 'the mean' : others.join(', ')}: their levels change together`;
}
