import { codeLevels, groupConfigurations, meanByConfiguration, numberCombinations } from './configurations.ts';
import type { Column, Configurations, ResponseSource, Table } from './types.ts';

/**
 * Per row, which start of a server it was measured on; undefined where the table does not tell.
 *
 * A column `launch` that is no factor names the launch, alike in no two launches of a block. A table of trials without one tells it all the same: within a block (and on a host) the loads of one
 * server configuration share a launch, and a server that was started again has another capacity.
 */
export function findLaunches(table: Table, factors: readonly string[]): Int32Array | undefined {
  const names = launchColumns(table, factors);
  if (names === undefined) return undefined;
  const coded = names.map((name) => codeLevels(table.columns.get(name) as Column));
  return numberCombinations(coded, table.rowCount).ids;
}

function launchColumns({ columns }: Table, factors: readonly string[]): string[] | undefined {
  const present = (names: readonly string[]) => names.filter((name) => columns.has(name) && !factors.includes(name));
  if (present(['launch']).length > 0) return present(['launch', 'block', 'host']);
  const isTrials = ['trial_id', 'block'].every((name) => columns.has(name)) && factors.includes('load');
  return isTrials
    ? [...factors.filter((factor) => factor !== 'load'), ...present(['block', 'host', 'capacity_rps'])]
    : undefined;
}

/** Factors of which a launch saw several levels, by index; loads, as a rule. */
function variedWithin({ factors, codes, offsets, rows }: Configurations, launches: Int32Array): number[] {
  const configurationAt = new Int32Array(rows.length);
  for (let index = 0; index < offsets.length - 1; index++) {
    configurationAt.fill(index, offsets[index], offsets[index + 1]);
  }
  const firstOf = new Map<number, number>();
  const varied = new Set<number>();
  for (const [place, row] of rows.entries()) {
    const launch = launches[row] as number;
    const first = firstOf.get(launch);
    if (first === undefined) firstOf.set(launch, configurationAt[place] as number);
    else {
      for (const [factor, ofFactor] of codes.entries()) {
        if (ofFactor[first] !== ofFactor[configurationAt[place] as number]) varied.add(factor);
      }
    }
  }
  return factors.map((_, factor) => factor).filter((factor) => varied.has(factor));
}

/** Per configuration the server that was launched for it: the same number for configurations that differ only in what varies within launches. */
export function numberServers(configurations: Configurations, launches: Int32Array): Int32Array {
  const varied = variedWithin(configurations, launches);
  const coded = configurations.factors.map((_, factor) => ({
    levels: configurations.levels[factor] as readonly string[],
    codes: configurations.codes[factor] as Int32Array,
  }));
  return numberCombinations(
    coded.filter((_, factor) => !varied.includes(factor)),
    configurations.count,
  ).ids;
}

/**
 * Every response once. Those that are the same in all trials of each launch, as a capacity is that was found once, are taken once for each launch and without the factors that vary within
 * launches: counted trial by trial they would pass for more than was measured.
 *
 * @param responses - one value per row, NaN where empty
 * @param means - of the same responses, by configuration
 */
export function findSources(
  table: Table,
  configurations: Configurations,
  launches: Int32Array | undefined,
  responses: ReadonlyMap<string, Float64Array>,
  means: ReadonlyMap<string, Float64Array>,
  contexts: readonly string[],
  isOutcome: (response: string) => boolean,
): ResponseSource[] {
  const varied = launches === undefined ? [] : variedWithin(configurations, launches);
  const factors = configurations.factors.filter((_, factor) => !varied.includes(factor));
  const { rows } = configurations;
  const once = new Set(
    launches === undefined || varied.length === 0 || factors.length === 0
      ? []
      : [...responses].flatMap(([name, values]) => (isSameInLaunches(rows, launches, values) ? [name] : [])),
  );
  const pick = <T>(all: ReadonlyMap<string, T>, isPicked: (name: string) => boolean) =>
    new Map([...all].filter(([name]) => isPicked(name)));
  const source = (part: Omit<ResponseSource, 'outcomeMeans'>) => ({
    ...part,
    outcomeMeans: pick(part.means, isOutcome),
  });
  const isEachTrial = (name: string) => !once.has(name);
  const trials = source({
    configurations,
    rowValues: pick(responses, isEachTrial),
    means: pick(means, isEachTrial),
    contexts,
    launches: varied.length === 0 ? undefined : launches,
  });
  if (launches === undefined || once.size === 0) return [trials];
  const firstOf = firstRows(rows, launches);
  const isFirst = new Uint8Array(table.rowCount);
  for (const row of firstOf.values()) isFirst[row] = 1;
  const servers = groupConfigurations(table, factors, isFirst);
  const rowValues = new Map(
    [...once].map(
      (name) => [name, carryToFirst(rows, launches, firstOf, responses.get(name) as Float64Array)] as const,
    ),
  );
  return [
    trials,
    source({
      configurations: servers,
      rowValues,
      means: new Map([...rowValues].map(([name, values]) => [name, meanByConfiguration(values, servers)])),
      contexts: contexts.filter((context) => factors.includes(context)),
      launches: undefined,
    }),
  ];
}

/** The first usable row of each launch. */
function firstRows(rows: Int32Array, launches: Int32Array): Map<number, number> {
  const firstOf = new Map<number, number>();
  for (const row of rows.toSorted()) {
    const launch = launches[row] as number;
    if (!firstOf.has(launch)) firstOf.set(launch, row);
  }
  return firstOf;
}

function isSameInLaunches(rows: Int32Array, launches: Int32Array, values: Float64Array): boolean {
  const known = new Map<number, number>();
  let isRepeated = false;
  for (const row of rows) {
    const value = values[row] as number;
    if (Number.isNaN(value)) continue;
    const other = known.get(launches[row] as number);
    if (other === undefined) known.set(launches[row] as number, value);
    else if (other !== value) return false;
    else isRepeated = true;
  }
  return isRepeated;
}

/** The value of each launch in its first row, whichever of its rows has it. */
function carryToFirst(
  rows: Int32Array,
  launches: Int32Array,
  firstOf: ReadonlyMap<number, number>,
  values: Float64Array,
): Float64Array {
  const carried = new Float64Array(values.length).fill(Number.NaN);
  for (const row of rows) {
    if (!Number.isNaN(values[row])) carried[firstOf.get(launches[row] as number) as number] = values[row] as number;
  }
  return carried;
}
