import { numberCombinations } from './configurations.ts';
import { correlate } from './correlation.ts';
import type { Configurations, Correlation } from './types.ts';

/**
 * How alike each response behaves at every two values of each context.
 *
 * Configurations at the two values are matched on all other factors and compared by their means over replicates; one that is missing on either
 * side, or lacks the response there, is no pair.
 * @param means - by response, one value per configuration, NaN where it has none
 */
export function correlateContexts(
  configurations: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  contexts: readonly string[],
): Correlation[] {
  return contexts.flatMap((context) => {
    const { partners, levels } = matchAcross(configurations, context);
    return [...means].flatMap(([response, values]) =>
      pairsOf(levels).map(({ a, b }) => {
        const { x, y } = pairValues(partners, levels.length, a.index, b.index, values);
        return { response, context, a: a.level, b: b.level, n: x.length, outcome: correlate(x, y) };
      }),
    );
  });
}

/**
 * Configurations that agree in every factor but one, side by side.
 *
 * @returns `partners[group * levels.length + level]`, the configuration of that group at that level of the context, -1 where there is none
 */
export function matchAcross(
  configurations: Configurations,
  context: string,
): { readonly partners: Int32Array; readonly levels: readonly string[] } {
  const contextIndex = configurations.factors.indexOf(context);
  const levels = configurations.levels[contextIndex] as readonly string[];
  const contextCodes = configurations.codes[contextIndex] as Int32Array;
  const others = configurations.factors.flatMap((_, index) =>
    index === contextIndex
      ? []
      : [
          {
            levels: configurations.levels[index] as readonly string[],
            codes: configurations.codes[index] as Int32Array,
          },
        ],
  );
  const { ids, count } = numberCombinations(others, configurations.count);
  const partners = new Int32Array(count * levels.length).fill(-1);
  for (let configuration = 0; configuration < configurations.count; configuration++) {
    partners[(ids[configuration] as number) * levels.length + (contextCodes[configuration] as number)] = configuration;
  }
  return { partners, levels };
}

function pairsOf(levels: readonly string[]) {
  return levels.flatMap((a, indexA) =>
    levels.slice(indexA + 1).map((b, offset) => ({
      a: { level: a, index: indexA },
      b: { level: b, index: indexA + 1 + offset },
    })),
  );
}

function pairValues(partners: Int32Array, levelCount: number, a: number, b: number, values: Float64Array) {
  const x = new Float64Array(partners.length / levelCount);
  const y = new Float64Array(x.length);
  let n = 0;
  for (let group = 0; group < x.length; group++) {
    // Index -1 of a typed array is undefined, which like an empty value makes no pair.
    const left = values[partners[group * levelCount + a] as number] ?? Number.NaN;
    const right = values[partners[group * levelCount + b] as number] ?? Number.NaN;
    if (Number.isNaN(left) || Number.isNaN(right)) continue;
    x[n] = left;
    y[n] = right;
    n++;
  }
  return { x: x.subarray(0, n), y: y.subarray(0, n) };
}
