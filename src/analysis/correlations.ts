import { numberCombinations } from './configurations.ts';
import { correlateSides, prepareSide, type Side } from './correlation.ts';
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
      [...correlateLevels(levels.map((_, level) => gather(partners, levels.length, level, values)))].map(
        ({ a, b, n, outcome }) => ({
          response,
          context,
          a: levels[a] as string,
          b: levels[b] as string,
          n,
          outcome,
        }),
      ),
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

/** The values of all groups at one level, NaN where the configuration or its value is missing. */
export function gather(partners: Int32Array, levelCount: number, level: number, values: Float64Array): Float64Array {
  const gathered = new Float64Array(partners.length / levelCount);
  for (let group = 0; group < gathered.length; group++) {
    const configuration = partners[group * levelCount + level] as number;
    gathered[group] = configuration < 0 ? Number.NaN : (values[configuration] as number);
  }
  return gathered;
}

/** Every two levels in their order. */
function* correlateLevels(byLevel: readonly Float64Array[]) {
  // Levels without gaps are ranked once and not once a pair; with gaps, ranks depend on which groups the partner has.
  const sides = byLevel.map((values) => (values.some(Number.isNaN) ? undefined : prepareSide(values)));
  for (let a = 0; a < byLevel.length; a++) {
    for (let b = a + 1; b < byLevel.length; b++) {
      const [x, y] = matchSides(sides[a], sides[b], byLevel[a] as Float64Array, byLevel[b] as Float64Array);
      yield { a, b, n: x.n, outcome: correlateSides(x, y) };
    }
  }
}

function matchSides(
  whole: Side | undefined,
  otherWhole: Side | undefined,
  values: Float64Array,
  others: Float64Array,
): readonly [Side, Side] {
  if (whole !== undefined && otherWhole !== undefined) return [whole, otherWhole];
  const isPair = (_: number, group: number) =>
    !Number.isNaN(values[group] as number) && !Number.isNaN(others[group] as number);
  return [prepareSide(values.filter(isPair)), prepareSide(others.filter(isPair))];
}
