import type { Fraction } from './fractional-factorial.ts';
import { factorsOf, lengthOf, type Word } from './two-level-search.ts';

const ROMAN = [
  '',
  'I',
  'II',
  'III',
  'IV',
  'V',
  'VI',
  'VII',
  'VIII',
  'IX',
  'X',
  'XI',
  'XII',
  'XIII',
  'XIV',
  'XV',
  'XVI',
];

/** Words of the defining relation that are printed; a 2^(13-9) has 511. */
const MOST_WORDS = 31;

/**
 * What a fractional design cannot tell apart, as lines of text: its generators, its defining relation, and the aliases of main effects and two-factor interactions among each
 * other. Interactions of three and more factors are taken to be negligible and left out.
 */
export function describeAliases(fraction: Fraction): string[] {
  const { factors, generators, relation, resolution, runs } = fraction;
  const name = (word: Word) =>
    factorsOf(word)
      .map((at) => factors[at])
      .join(':');
  const shown = relation.slice(0, MOST_WORDS).map(name);
  const hidden = relation.length - shown.length;
  return [
    `2^(${factors.length}-${generators.length}) in ${runs.length} runs, resolution ${ROMAN[resolution] ?? resolution}`,
    `generators: ${generators.map(({ factor, word }) => `${factor} = ${name(word)}`).join(', ')}`,
    `defining relation: I = ${shown.join(' = ')}${hidden > 0 ? ` = ... (${hidden} longer words)` : ''}`,
    ...aliasLines(fraction, name),
  ];
}

function aliasLines({ factors, relation }: Fraction, name: (word: Word) => string): string[] {
  const effects = upToTwoFactors(factors.length);
  const chains = aliasChains(effects, relation);
  const clear = (length: number) =>
    chains
      .filter((chain) => chain.length === 1 && lengthOf(chain[0] as Word) === length)
      .map(([word]) => name(word as Word));
  const clearMains = clear(1);
  const clearPairs = clear(2);
  return [
    ...chains.filter((chain) => chain.length > 1).map((chain) => `aliased: ${chain.map(name).join(' = ')}`),
    ...(clearMains.length > 0 ? [`clear of two-factor interactions: ${clearMains.join(', ')}`] : []),
    ...(clearPairs.length > 0
      ? [`clear of main effects and other two-factor interactions: ${clearPairs.join(', ')}`]
      : []),
  ];
}

function upToTwoFactors(count: number): Word[] {
  const mains = Array.from({ length: count }, (_, at) => 1 << at);
  return [...mains, ...mains.flatMap((a, at) => mains.slice(at + 1).map((b) => a | b))];
}

/** Effects in sets that the design estimates together; a set of one is clear. */
function aliasChains(effects: readonly Word[], relation: readonly Word[]): Word[][] {
  const seen = new Set<Word>();
  return effects.flatMap((effect) => {
    if (seen.has(effect)) return [];
    const together = new Set([effect, ...relation.map((word) => word ^ effect)]);
    const chain = effects.filter((other) => together.has(other));
    for (const other of chain) seen.add(other);
    return [chain];
  });
}
