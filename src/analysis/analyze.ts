import { AnalysisError } from '../errors.ts';
import { createRng } from '../rng.ts';
import { findResponse } from '../spec/index.ts';
import { checkTable } from './check-table.ts';
import { codeLevels, groupConfigurations, meanByConfiguration } from './configurations.ts';
import { correlateContexts } from './correlations.ts';
import { findEffects } from './effects.ts';
import { noteEqualObjectives } from './equal-objectives.ts';
import { describeFronts } from './front-uncertainty.ts';
import { findFronts, findLeftOut, markLeftOut } from './fronts.ts';
import { findLaunches, findSources, numberServers } from './launches.ts';
import { isTooLong, markOnAnyFront, noteShortTables } from './listed.ts';
import { createLossFinder, withDrawnLosses } from './losses.ts';
import { createMeanSampler, type SampledResponse } from './mean-sampler.ts';
import { testOrderEffect } from './order-effect.ts';
import { summarizeReplicates } from './summaries.ts';
import type { Analysis, AnalysisOptions, Configurations, Table } from './types.ts';
import { selectRows } from './usable-rows.ts';

/** Columns of trials.csv that say what a trial was or how it went, not what it measured. */
const BOOKKEEPING = new Set([
  'trial_id',
  'point_id',
  'configuration_id',
  'launch',
  'replicate',
  'block',
  'run_order',
  'attempt',
  'state',
  'verdict',
  'reasons',
  'host',
  'started_at',
  'duration_s',
  'energy_source',
  'accuracy_source',
]);

/** Responses that are the same in every trial of a model. */
const MODEL_PROPERTIES = new Set(['model_size_mb', 'params', 'macs', 'bare_latency_ms', 'bare_throughput_ips']);

/**
 * Fronts, correlations across contexts and summaries over replicates of a table of trials, or of any table of configurations and what they measured.
 *
 * Where the table has the columns `state` and `verdict`, rows that are not `done` or are `invalid` are counted and take no part.
 * @throws AnalysisError listing everything that makes the table unfit for what is asked, and where estimated and measured energy would share a front
 */
export function analyzeTable(table: Table, options: AnalysisOptions): Analysis {
  checkTable(table, options);
  const resolved = resolveOptions(table, options);
  const { isUsable, counts } = selectRows(table);
  if (!resolved.allowMixedEnergy) refuseMixedEnergy(table, isUsable, resolved);

  const configurations = groupConfigurations(table, resolved.factors, isUsable);
  const needed = new Set([
    ...resolved.responses,
    ...resolved.objectives.map(({ response }) => response),
    ...resolved.constraints.map(({ response, lossOf }) => lossOf ?? response),
  ]);
  const lossFinder = createLossFinder(configurations, resolved);
  const ownMeans = new Map(
    [...needed].map((name) => [name, meanByConfiguration(numbersOf(table, name), configurations)]),
  );
  const means = lossFinder.withLosses(ownMeans);
  const leftOut = findLeftOut(configurations, means, resolved, lossFinder.bases);
  const responseMeans = new Map(resolved.responses.map((name) => [name, means.get(name) as Float64Array]));
  const responses = new Map(resolved.responses.map((name) => [name, numbersOf(table, name)]));
  const blocks = blocksOf(table, resolved.factors);
  const launches = findLaunches(table, resolved.factors);
  const isGood = (name: string) => isOutcome(table, name);
  const sources = findSources(table, configurations, launches, responses, responseMeans, resolved.contexts, isGood);
  const effects = onceAsked(() =>
    sources.flatMap(({ rowValues, ...source }) =>
      findEffects({
        ...source,
        rowValues: new Map([...rowValues].filter(([name]) => isGood(name))),
        blocks,
        confidence: resolved.confidence,
      }),
    ),
  );
  const fronts = findFronts(configurations, means, resolved.objectives, frontFactors(resolved), leftOut);
  const sampler = onceAsked(() =>
    withDrawnLosses(
      createMeanSampler(
        configurations,
        means,
        [...needed].filter((name) => isAsked(name, resolved)).map((name) => sampledResponse(table, name)),
        resolved.confidence,
        launches,
      ),
      lossFinder,
    ),
  );
  const correlations = onceAsked(() =>
    sources.flatMap((source) => correlateContexts(source.configurations, source.means, source.contexts)),
  );
  const frontDetails = onceAsked(() =>
    describeFronts({
      ...resolved,
      configurations,
      means,
      isLeftOut: markLeftOut(configurations, leftOut),
      fronts,
      sampler: sampler(),
    }),
  );
  return {
    options: resolved,
    counts,
    configurations,
    means,
    outcomeMeans: new Map([...responseMeans].filter(([name]) => isOutcome(table, name))),
    rowValues: responses,
    blocks,
    sources,
    leftOut,
    fronts,
    get sampler() {
      return sampler();
    },
    get frontDetails() {
      return frontDetails();
    },
    get correlations() {
      return correlations();
    },
    get effects() {
      return effects();
    },
    summaries: {
      [Symbol.iterator]: () =>
        summarizeReplicates(
          responses,
          configurations,
          resolved,
          isTooLong(configurations, responses.size) ? markOnAnyFront(configurations, fronts) : undefined,
        ),
    },
    notes: [
      // Where no row is usable at all, that is the reason, and the counts tell it.
      ...(counts.used === 0 ? [] : noteEmptyObjectives(means, resolved)),
      ...noteEqualObjectives(means, resolved),
      ...noteShortTables(configurations, fronts, responses.size),
      ...noteUnevenReplicates(table, configurations, means, resolved),
      ...noteSingleContexts(configurations, resolved),
      ...noteOrderEffects(table, configurations, launches, resolved),
    ],
  };
}

/** Factors of whose values each has a front: the contexts, and the load, because a front holds at a load. */
function frontFactors({ contexts, factors }: Required<AnalysisOptions>): string[] {
  return [...new Set([...contexts, ...factors.filter((factor) => factor === 'load')])];
}

function isAsked(name: string, { objectives, constraints }: Required<AnalysisOptions>): boolean {
  return (
    objectives.some(({ response }) => response === name) ||
    constraints.some(({ response, lossOf }) => (lossOf ?? response) === name)
  );
}

function sampledResponse(table: Table, name: string): SampledResponse {
  const [lo, hi] = [table.columns.get(`${name}_lo`), table.columns.get(`${name}_hi`)];
  const interval = lo?.kind === 'number' && hi?.kind === 'number' ? { lo: lo.values, hi: hi.values } : undefined;
  return { name, values: numbersOf(table, name), interval };
}

/** Works something out when it is first asked for, and keeps it. */
function onceAsked<T>(find: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: find() };
    return known.value;
  };
}

/**
 * Whether effects on a column are worth having: in a table of trials those responses of which one knows what is better, except what a model brings along; in any other table all
 * but the ends of intervals.
 */
function isOutcome(table: Table, name: string): boolean {
  const isInterval = /_(lo|hi)$/.test(name) && table.columns.has(name.slice(0, -3));
  if (isInterval) return false;
  if (!table.columns.has('trial_id')) return true;
  return findResponse(name)?.better !== undefined && !MODEL_PROPERTIES.has(name);
}

/** Runs of the whole design at different times; undefined where the table names none, or where they are a factor. */
function blocksOf(table: Table, factors: readonly string[]) {
  const column = table.columns.get('block');
  return column === undefined || factors.includes('block') ? undefined : codeLevels(column);
}

function resolveOptions(table: Table, options: AnalysisOptions): Required<AnalysisOptions> {
  return {
    ...options,
    constraints: options.constraints ?? [],
    responses: options.responses ?? findResponses(table, options.factors),
    confidence: options.confidence ?? 0.95,
    requestsOf: options.requestsOf ?? (() => undefined),
    closedLoads: options.closedLoads ?? [],
    allowMixedEnergy: options.allowMixedEnergy ?? false,
  };
}

/** Columns of numbers that hold at least one value and are neither factors nor bookkeeping. */
function findResponses(table: Table, factors: readonly string[]): string[] {
  return table.names.filter((name) => {
    const column = table.columns.get(name);
    if (factors.includes(name) || BOOKKEEPING.has(name) || column?.kind !== 'number') return false;
    return column.values.some((value) => !Number.isNaN(value));
  });
}

function numbersOf(table: Table, name: string): Float64Array {
  const column = table.columns.get(name);
  if (column?.kind !== 'number') throw new TypeError(`column "${name}" was not checked to hold numbers`);
  return column.values;
}

function isEnergyColumn(name: string): boolean {
  return name.startsWith('energy_') || name.startsWith('power_');
}

/** @throws AnalysisError where an energy objective holds estimates in some rows and measurements in others */
function refuseMixedEnergy(table: Table, isUsable: Uint8Array, { objectives }: Required<AnalysisOptions>): void {
  const source = table.columns.get('energy_source');
  const energyObjectives = objectives.map(({ response }) => response).filter(isEnergyColumn);
  if (source === undefined || energyObjectives.length === 0) return;
  const { levels, codes } = codeLevels(source);
  const found = new Map<string, number>();
  for (let row = 0; row < table.rowCount; row++) {
    if (isUsable[row] === 0 || energyObjectives.every((name) => Number.isNaN(numbersOf(table, name)[row]))) continue;
    const level = levels[codes[row] as number] as string;
    found.set(level, (found.get(level) ?? 0) + 1);
  }
  if (!found.has('estimate') || found.size === 1) return;
  const shares = [...found].map(([name, rows]) => `${rows} ${name === '' ? 'unknown' : name}`).join(', ');
  throw new AnalysisError({
    where: 'column "energy_source"',
    what: `estimated and measured energy would share a front (rows: ${shares})`,
    hint: `Analyse them apart, leave out the objective ${energyObjectives.join(', ')}, or accept the mix with --allow-mixed-energy.`,
  });
}

function noteEmptyObjectives(
  means: ReadonlyMap<string, Float64Array>,
  { objectives }: Required<AnalysisOptions>,
): string[] {
  return objectives
    .filter(({ response }) => means.get(response)?.every((value) => Number.isNaN(value)))
    .map(
      ({ response }) =>
        `no usable row has a value of the objective ${response}, so every front is empty; measure it, or leave it out of the objectives`,
    );
}

/** Objectives that some replicates of a configuration have and others lack: their means may favour the lucky ones. */
function noteUnevenReplicates(
  table: Table,
  { count, offsets, rows }: Configurations,
  means: ReadonlyMap<string, Float64Array>,
  { objectives }: Required<AnalysisOptions>,
): string[] {
  return objectives.flatMap(({ response }) => {
    const values = numbersOf(table, response);
    // Mostly none is missing, and looking at each configuration takes much longer.
    if (!values.includes(Number.NaN)) return [];
    const mean = means.get(response) as Float64Array;
    let uneven = 0;
    for (let configuration = 0; configuration < count; configuration++) {
      if (Number.isNaN(mean[configuration])) continue;
      const replicates = rows.subarray(offsets[configuration], offsets[configuration + 1]);
      if (replicates.some((row) => Number.isNaN(values[row]))) uneven++;
    }
    return uneven === 0
      ? []
      : [
          `in ${uneven} of ${count} configurations some replicates lack ${response}; their means are over the other replicates`,
        ];
  });
}

function noteSingleContexts(
  { factors, codes, levels }: Configurations,
  { contexts }: Required<AnalysisOptions>,
): string[] {
  return contexts.flatMap((context) => {
    const index = factors.indexOf(context);
    const found = new Set(codes[index]);
    const [only] = found;
    return found.size === 1
      ? [`context "${context}" has one value (${levels[index]?.[only as number]}), so there is nothing to correlate`]
      : [];
  });
}

/** An order effect that chance would show more seldom than this is told. */
const ORDER_EFFECT_LEVEL = 0.01;
/** Seeds the exchanges of the permutation test, so that the same table gives the same note. */
const ORDER_SEED = 1;

/** Objectives that moved with the run order beyond what the configurations explain: the machine, and not the configuration, may be what is compared. */
function noteOrderEffects(
  table: Table,
  configurations: Configurations,
  launches: Int32Array | undefined,
  { objectives }: Required<AnalysisOptions>,
): string[] {
  const order = table.columns.get('run_order');
  if (order?.kind !== 'number') return [];
  const { count, offsets, rows } = configurations;
  const runOrder = Float64Array.from(rows, (row) => order.values[row] as number);
  const configurationOf = new Int32Array(rows.length);
  for (let index = 0; index < count; index++) configurationOf.fill(index, offsets[index], offsets[index + 1]);
  const launched = launches && {
    launches: rows.map((row) => launches[row] as number),
    servers: gatherAt(numberServers(configurations, launches), configurationOf),
  };
  const unit = launches === undefined ? 'trial' : 'launch';
  return objectives.flatMap(({ response }) => {
    const ofTable = numbersOf(table, response);
    const values = Float64Array.from(rows, (row) => ofTable[row] as number);
    const effect = testOrderEffect(
      { configurations: configurationOf, runOrder, values, launched },
      createRng(ORDER_SEED),
    );
    if ('reason' in effect || effect.p >= ORDER_EFFECT_LEVEL) return [];
    const change = `${effect.relativeChange > 0 ? '+' : ''}${(effect.relativeChange * 100).toFixed(1)} %`;
    return [
      `${response} moved with the run order (${change} from the first ${unit} to the last, ${effect.method} p = ${effect.p.toPrecision(2)}); something other than the configurations changed during the run`,
    ];
  });
}

function gatherAt(values: Int32Array, places: Int32Array): Int32Array {
  return places.map((place) => values[place] as number);
}
