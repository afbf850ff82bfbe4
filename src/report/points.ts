import { levelsOf } from '../analysis/index.ts';
import { createRng } from '../rng.ts';
import type { ChartColumn } from './charts/chart.ts';
import { MAX_GROUPS } from './charts/theme.ts';
import { levelLabel, levelsInOrder } from './labels.ts';
import type { ReportPart } from './types.ts';

/** More points than this can neither be told apart nor be brushed without waiting. */
const MAX_POINTS = 3000;
/** Draws which of many configurations are shown, so that the same results give the same page. */
const SAMPLE_SEED = 1;
/** The plot of the front's pictures where three stand beside each other, less the axis; an entry's symbol with its gaps, and a character of the labels, which have 11 pixels. */
const NARROW_PICTURE_PX = 300;
const LEGEND_SYMBOL_PX = 30;
const LEGEND_CHARACTER_PX = 6;

/** The configurations that pictures show, and the columns that all of these pictures share. */
export interface Points {
  /** Indices of the configurations shown; those of the front first, best value of the first objective on top. */
  readonly shown: readonly number[];
  /** Beside `shown`: whether it is on the overall front. */
  readonly onFront: readonly boolean[];
  /** Factor whose levels colours and shapes stand for; absent where none has few enough. */
  readonly groupFactor: string | undefined;
  readonly groups: readonly string[];
  /** Every group once, in the order of the factor's levels. */
  readonly groupNames: readonly string[];
  /** How many of how many are shown, and how they were chosen; absent where all are. */
  readonly note: string | undefined;
}

/** Chooses what to show: every configuration that has all objectives, or, of very many, the front and a random sample of the rest. */
export function choosePoints(part: ReportPart): Points {
  const { analysis } = part;
  const leftOut = new Set(analysis.leftOut.map(({ configuration }) => configuration));
  const all = analysis.fronts.find(({ name }) => name === 'all');
  const front: number[] = [];
  const rest: number[] = [];
  for (const [place, configuration] of (all?.members ?? []).entries()) {
    if (leftOut.has(configuration)) continue;
    (all?.onFront[place] === 1 ? front : rest).push(configuration);
  }
  const shownFront = sample(sortByFirstObjective(front, part), MAX_POINTS);
  const shownRest = sample(rest, MAX_POINTS - shownFront.length);
  const shown = [...shownFront, ...shownRest];
  const groupFactor = chooseGroupFactor(part);
  const group = groupFactor === undefined ? -1 : analysis.configurations.factors.indexOf(groupFactor);
  return {
    shown,
    onFront: shown.map((_, place) => place < shownFront.length),
    groupFactor,
    groups: shown.map((configuration) =>
      group < 0
        ? ''
        : levelLabel(part, groupFactor as string, levelsOf(analysis.configurations, configuration)[group] as string),
    ),
    groupNames:
      groupFactor === undefined
        ? ['']
        : levelsInOrder(part, groupFactor).map((level) => levelLabel(part, groupFactor, level)),
    note: noteSample(shownFront.length, front.length, shownRest.length, rest.length),
  };
}

/** A random choice of so many, in their old order. */
function sample(items: readonly number[], count: number): readonly number[] {
  if (items.length <= count) return items;
  const chosen = new Set(createRng(SAMPLE_SEED).shuffle(items).slice(0, Math.max(0, count)));
  return items.filter((item) => chosen.has(item));
}

function noteSample(shownFront: number, front: number, shownRest: number, rest: number): string | undefined {
  if (shownFront === front && shownRest === rest) return undefined;
  const ofFront =
    shownFront === front
      ? `all ${front} configurations of the front`
      : `a random sample of ${shownFront} of the ${front} configurations of the front`;
  return `Shown are ${ofFront} and a random sample of ${shownRest} of the ${rest} others; pareto.csv holds all of them.`;
}

function sortByFirstObjective(configurations: readonly number[], { analysis }: ReportPart): readonly number[] {
  const [first] = analysis.options.objectives;
  const values = first && analysis.means.get(first.response);
  if (values === undefined) return configurations;
  const sign = first?.direction === 'maximize' ? -1 : 1;
  return [...configurations].sort((a, b) => sign * ((values[a] as number) - (values[b] as number)));
}

/** The first context with few enough levels to tell apart, else the model, else the first such factor. */
function chooseGroupFactor({ analysis: { configurations, options } }: ReportPart): string | undefined {
  const { factors, codes } = configurations;
  const candidates = [...options.contexts, 'model', ...factors].filter((factor) => factors.includes(factor));
  return candidates.find((factor) => {
    const levels = new Set(codes[factors.indexOf(factor)]).size;
    return levels > 1 && levels <= MAX_GROUPS;
  });
}

/**
 * What tells groups apart in a chart: the same colour and shape for a group in every picture.
 *
 * @param factor - the factor that the picture is about, if any: where that is what the groups are, no legend is needed
 */
export function groupValues({ groupFactor, groupNames }: Points, factor?: string): Readonly<Record<string, unknown>> {
  return {
    groups: groupNames,
    legend:
      groupFactor === undefined || groupFactor === factor
        ? null
        : { title: groupFactor, columns: legendColumns(groupNames) },
  };
}

/** As many columns as fit beside each other in the narrowest of pictures, so that no legend runs into its neighbour. */
function legendColumns(names: readonly string[]): number {
  const widthPx = LEGEND_SYMBOL_PX + LEGEND_CHARACTER_PX * Math.max(0, ...names.map((name) => name.length));
  return Math.min(3, Math.max(1, Math.floor(NARROW_PICTURE_PX / widthPx)));
}

const sharedColumns = new WeakMap<Points, Readonly<Record<string, ChartColumn>>>();

/** The columns that all pictures of the same points share: always the same arrays, so that the page holds them once. */
export function pointColumns(points: Points): Readonly<Record<string, ChartColumn>> {
  const known = sharedColumns.get(points);
  if (known !== undefined) return known;
  const columns = { id: [...points.shown.keys()], front: points.onFront, group: points.groups };
  sharedColumns.set(points, columns);
  return columns;
}

/** The configurations on the overall front, in the order of the table. */
export function overallFront({ analysis: { fronts } }: ReportPart): number[] {
  const all = fronts.find(({ name }) => name === 'all');
  return [...(all?.members ?? [])].filter((_, place) => all?.onFront[place] === 1);
}
