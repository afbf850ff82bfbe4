/**
 * Finding the generators of a two-level fractional factorial 2^(k-p).
 *
 * A set of factors is a word, held as a bit mask: bit j is factor j. The first k - p factors are basic and run through all combinations; each further factor is set to the product
 * of some basic ones, its generator. Multiplying the p generating words in all ways gives the 2^p - 1 words of the defining relation; the shortest word's length is the resolution.
 *
 * Source: Montgomery, Design and Analysis of Experiments, ch. 8; aberration after Fries and Hunter, Technometrics 22 (1980).
 */

export type Word = number;

/** Nodes searched per resolution; every design up to nine factors, and most up to thirteen, are settled within it. */
const NODE_BUDGET = 200_000;

export function lengthOf(word: Word): number {
  let length = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) length++;
  return length;
}

export function factorsOf(word: Word): number[] {
  return Array.from({ length: 32 - Math.clz32(word) }, (_, bit) => bit).filter((bit) => ((word >> bit) & 1) === 1);
}

/** All words of the defining relation, shortest first. */
export function definingRelation(generatingWords: readonly Word[]): Word[] {
  const words = generatingWords.reduce<Word[]>((group, word) => withProducts(group, word), []);
  return words.sort(byLength);
}

function withProducts(group: readonly Word[], word: Word): Word[] {
  return [...group, word, ...group.map((other) => other ^ word)];
}

/**
 * Generators of the highest resolution, and among those of the least aberration: fewest words of the shortest length, then of the next, and so on.
 *
 * Where the search is cut off by its budget (more than nine factors), the resolution and aberration are the best that were seen.
 * @param basicCount - k - p
 * @param generatorCount - p
 * @returns for each further factor, the word of basic factors it is the product of; undefined where no design keeps main effects apart
 */
export function searchGenerators(basicCount: number, generatorCount: number): Word[] | undefined {
  for (let resolution = basicCount + 1; resolution >= 3; resolution--) {
    const found = searchAtResolution(basicCount, generatorCount, resolution);
    if (found !== undefined) return found;
  }
  return undefined;
}

function searchAtResolution(basicCount: number, generatorCount: number, resolution: number): Word[] | undefined {
  const candidates = productsOfBasics(basicCount).filter((word) => lengthOf(word) >= resolution - 1);
  let best: { readonly generators: Word[]; readonly pattern: readonly number[] } | undefined;
  let nodes = 0;

  const extend = (generators: readonly Word[], group: readonly Word[], from: number): void => {
    const pattern = lengthPattern(group);
    if (best !== undefined && compareAberration(pattern, best.pattern) >= 0) return;
    if (generators.length === generatorCount) {
      best = { generators: [...generators], pattern };
      return;
    }
    const last = candidates.length - (generatorCount - generators.length);
    for (let at = from; at <= last && nodes < NODE_BUDGET; at++) {
      nodes++;
      const generator = candidates[at] as Word;
      const extended = withProducts(group, generator | (1 << (basicCount + generators.length)));
      if (extended.every((word) => lengthOf(word) >= resolution)) extend([...generators, generator], extended, at + 1);
    }
  };
  extend([], [], 0);
  return best?.generators;
}

/** Words of two or more basic factors in the order tables list them: AB, AC, BC, ..., ABC, ... */
function productsOfBasics(basicCount: number): Word[] {
  return Array.from({ length: 2 ** basicCount }, (_, word) => word)
    .filter((word) => lengthOf(word) >= 2)
    .sort(byLength);
}

function byLength(a: Word, b: Word): number {
  return lengthOf(a) - lengthOf(b) || compareLists(factorsOf(a), factorsOf(b));
}

/** How many words there are of each length. */
function lengthPattern(group: readonly Word[]): number[] {
  const pattern: number[] = [];
  for (const word of group) pattern[lengthOf(word)] = (pattern[lengthOf(word)] ?? 0) + 1;
  return pattern;
}

/** Below zero where `a` has fewer words of the first length in which they differ. More words only make a pattern worse, so this also bounds what a partial design can reach. */
function compareAberration(a: readonly number[], b: readonly number[]): number {
  const longest = Math.max(a.length, b.length);
  for (let length = 0; length < longest; length++) {
    const difference = (a[length] ?? 0) - (b[length] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] as number) - (b[at] as number);
}
