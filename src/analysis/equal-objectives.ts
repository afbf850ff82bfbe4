import type { AnalysisOptions } from './types.ts';

/** Said where every objective has one value only: a front of everything, or a best one that is first by chance, is then no finding. */
export function noteEqualObjectives(
  means: ReadonlyMap<string, Float64Array>,
  { objectives }: Pick<AnalysisOptions, 'objectives'>,
): string[] {
  const same = objectives.map(({ response }) => {
    const values = (means.get(response) ?? new Float64Array()).filter((value) => !Number.isNaN(value));
    const [first] = values;
    const isSame = first !== undefined && values.length > 1 && values.every((value) => value === first);
    return isSame ? `${response} is ${Number(first.toPrecision(6))}` : undefined;
  });
  if (same.length === 0 || same.includes(undefined)) return [];
  return [`nothing tells the configurations apart: ${same.join(' and ')} in all of them`];
}
