import { levelsOf } from '../analysis/index.ts';
import { findResponse, type Objective } from '../spec/index.ts';
import { formatNumber } from './numbers.ts';
import { isSyntheticModel } from './synthetic.ts';
import type { ReportPart } from './types.ts';

/** Columns whose figures rest on energy. */
export function isEnergyResponse(response: string): boolean {
  return response.startsWith('energy_') || response.includes('power_w');
}

/** Whether any energy of this part was computed and not measured. */
export function hasEstimates({ results }: ReportPart): boolean {
  return results?.rows.some(({ energy_source }) => energy_source === 'estimate') ?? false;
}

/** A response with what a reader must know of it: "latency_p95_ms (ms)", "energy_per_inference_j (J, estimate)". */
export function responseLabel(part: ReportPart, response: string): string {
  const unit = findResponse(response)?.unit ?? '';
  const estimate = isEnergyResponse(response) && hasEstimates(part) ? 'estimate' : '';
  const remarks = [unit, estimate].filter((text) => text !== '').join(', ');
  return remarks === '' ? response : `${response} (${remarks})`;
}

/** A response by name alone, estimated energy called so: "energy_per_inference_j (estimate)". */
export function responseName(part: ReportPart, response: string): string {
  return isEnergyResponse(response) && hasEstimates(part) ? `${response} (estimate)` : response;
}

/** A value of a response in words: "3.2 ms", "0.12 J (estimate)". */
export function valueLabel(part: ReportPart, response: string, value: number): string {
  const unit = findResponse(response)?.unit ?? '';
  const estimate = isEnergyResponse(response) && hasEstimates(part) ? ' (estimate)' : '';
  return `${formatNumber(value)}${unit === '' ? '' : ` ${unit}`}${estimate}`;
}

/** A level by name; a model with synthetic weights is called so. */
export function levelLabel({ results }: ReportPart, factor: string, level: string): string {
  const isSynthetic = results !== undefined && factor === 'model' && isSyntheticModel(level, [results]);
  return isSynthetic ? `${level} (synthetic weights)` : level;
}

/** The name of a front, its model called synthetic where it is: `all`, `model=resnet18 (synthetic weights)`. */
export function frontLabel(part: ReportPart, name: string): string {
  const at = name.indexOf('=');
  if (at < 0) return name;
  const factor = name.slice(0, at);
  return `${factor}=${levelLabel(part, factor, name.slice(at + 1))}`;
}

/** A configuration in words: "model mnist-cnn, batch 4". */
export function configurationLabel(part: ReportPart, configuration: number): string {
  const { configurations } = part.analysis;
  return levelsOf(configurations, configuration)
    .map((level, index) => {
      const factor = configurations.factors[index] as string;
      return `${factor} ${levelLabel(part, factor, level)}`;
    })
    .join(', ');
}

/** A configuration by its levels alone: "mnist-cnn · 4 · light"; stands under a heading that names the factors. */
export function shortLabel(part: ReportPart, configuration: number): string {
  const { configurations } = part.analysis;
  return levelsOf(configurations, configuration)
    .map((level, index) => levelLabel(part, configurations.factors[index] as string, level))
    .join(' · ');
}

/** "1 trial", "2 trials". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function joinWords(words: readonly string[], last = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

/** An objective on an axis, with the way that is good. */
export function axisTitle(part: ReportPart, { response, direction }: Objective): string {
  return `${responseLabel(part, response)}, ${direction === 'minimize' ? 'lower' : 'higher'} is better`;
}

/** The levels of a factor that occur, in the order of the spec; without a spec by size where all are numbers, else by first appearance. */
export function levelsInOrder({ analysis, results }: ReportPart, factor: string): string[] {
  const { factors, levels, codes } = analysis.configurations;
  const index = factors.indexOf(factor);
  const found = [...new Set(codes[index])].map((code) => levels[index]?.[code] as string);
  const written = results?.manifest.spec.factors[factor]?.map(({ name }) => name) ?? [];
  const isNumeric = found.every((level) => level !== '' && Number.isFinite(Number(level)));
  const rank = (level: string) => {
    const place = written.indexOf(level);
    if (place >= 0) return place;
    return isNumeric && written.length === 0 ? Number(level) : Number.MAX_VALUE;
  };
  return found.sort((a, b) => rank(a) - rank(b));
}

/** Puts rows by their levels of some factors, in the order of the levels, the first factor before the others. */
export function sortByLevels<T>(
  part: ReportPart,
  factors: readonly string[],
  items: readonly T[],
  levelOf: (item: T, factor: string) => string,
): T[] {
  const ranks = factors.map((factor) => {
    const places = new Map(levelsInOrder(part, factor).map((level, place) => [level, place]));
    return (item: T) => places.get(levelOf(item, factor)) ?? -1;
  });
  return [...items].sort((a, b) => ranks.reduce((found, rank) => (found !== 0 ? found : rank(a) - rank(b)), 0));
}
