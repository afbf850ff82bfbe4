/** One column of a design, with only the levels that occur. */
export interface CodedFactor {
  readonly name: string;
  readonly levels: readonly string[];
  /** Per row, an index into `levels`. */
  readonly codes: Int32Array;
}

/** A main effect (one factor), an interaction (two), or the block. */
export interface Term {
  readonly name: string;
  readonly kind: 'block' | 'main' | 'interaction';
  /** Indices into the factors of the design. */
  readonly factors: readonly number[];
  /** Degrees of freedom: how many columns of the model matrix the term takes. */
  readonly df: number;
}

/** Keeps the levels that occur, in their order, and numbers them anew. */
export function keepOccurring(name: string, levels: readonly string[], codes: Int32Array): CodedFactor {
  const occurs = new Uint8Array(levels.length);
  for (const code of codes) occurs[code] = 1;
  const numbers = new Int32Array(levels.length);
  let count = 0;
  for (let code = 0; code < levels.length; code++) {
    if (occurs[code] === 1) numbers[code] = count++;
  }
  return {
    name,
    levels: levels.filter((_, code) => occurs[code] === 1),
    codes: count === levels.length ? codes : codes.map((code) => numbers[code] as number),
  };
}

/** The block first, then the main effects, then every interaction of two factors. Factors with one level have no term. */
export function listTerms(factors: readonly CodedFactor[], blockIndex: number): Term[] {
  const df = (index: number) => (factors[index] as CodedFactor).levels.length - 1;
  const name = (index: number) => (factors[index] as CodedFactor).name;
  const varied = factors.map((_, index) => index).filter((index) => index !== blockIndex && df(index) > 0);
  const block: Term[] =
    blockIndex >= 0 && df(blockIndex) > 0
      ? [{ name: name(blockIndex), kind: 'block', factors: [blockIndex], df: df(blockIndex) }]
      : [];
  const mains = varied.map((index): Term => ({ name: name(index), kind: 'main', factors: [index], df: df(index) }));
  const interactions = varied.flatMap((a, place) =>
    varied.slice(place + 1).map(
      (b): Term => ({
        name: `${name(a)}:${name(b)}`,
        kind: 'interaction',
        factors: [a, b],
        df: df(a) * df(b),
      }),
    ),
  );
  return [...block, ...mains, ...interactions];
}

/**
 * The columns of a term that are not 0 at these levels, with their sign, under sum-to-zero coding: level k of L is a 1 in column k, the last is -1 in all L - 1.
 *
 * @param levelOf - level index of a factor
 * @param visit - called with the column within the term and 1 or -1
 */
export function visitColumns(
  term: Term,
  factors: readonly CodedFactor[],
  levelOf: (factor: number) => number,
  visit: (column: number, sign: number) => void,
): void {
  const [first, second] = term.factors as readonly [number, number | undefined];
  const width = (factors[first] as CodedFactor).levels.length - 1;
  const level = levelOf(first);
  const [from, to, sign] = level < width ? [level, level + 1, 1] : [0, width, -1];
  if (second === undefined) {
    for (let column = from; column < to; column++) visit(column, sign);
    return;
  }
  const otherWidth = (factors[second] as CodedFactor).levels.length - 1;
  const other = levelOf(second);
  const [otherFrom, otherTo, otherSign] = other < otherWidth ? [other, other + 1, 1] : [0, otherWidth, -1];
  for (let column = from; column < to; column++) {
    for (let otherColumn = otherFrom; otherColumn < otherTo; otherColumn++) {
      visit(column * otherWidth + otherColumn, sign * otherSign);
    }
  }
}
