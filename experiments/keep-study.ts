/**
 * Keeps a study's results beside its findings: `trials.csv`, and of the tables of `dse analyze` the rows that the findings use.
 *
 * After `dse run experiments/NAME/spec.yaml`:  npx tsx experiments/keep-study.ts NAME results/NAME
 * After a change of the analysis, from the trials kept before:  npx tsx experiments/keep-study.ts NAME
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Analysis, analyzeTable, RESULT_TABLES, type ResultTable } from '../src/analysis/index.ts';
import { readCsvTable } from '../src/cli/read-table.ts';
import { isKnownModel, modelNames } from '../src/models/index.ts';
import { packageFile } from '../src/package-files.ts';
import { type ExperimentSpec, parseSpec } from '../src/spec/index.ts';
import { renderCsv } from '../src/store/index.ts';

/** For each study, the tables kept and the responses they are of. */
export const STUDIES: Readonly<
  Record<string, { readonly tables: readonly string[]; readonly responses: readonly string[] }>
> = {
  knobs: {
    tables: ['effects.csv', 'simple-effects.csv', 'influence.csv'],
    responses: ['latency_mean_ms', 'latency_p50_ms', 'cpu_util', 'energy_net_per_inference_j'],
  },
  compression: {
    tables: ['summary.csv', 'effects.csv', 'simple-effects.csv', 'transfer.csv'],
    responses: [
      'latency_mean_ms',
      'latency_p50_ms',
      'capacity_rps',
      'cpu_util',
      'energy_net_per_inference_j',
      'accuracy_top1',
    ],
  },
  'neighbour-protection': {
    tables: ['interference.csv', 'effects.csv'],
    responses: ['latency_mean_ms', 'latency_p50_ms', 'latency_p90_ms', 'capacity_rps'],
  },
  transfer: {
    tables: ['transfer.csv', 'consistency.csv', 'influence.csv', 'effects.csv'],
    responses: ['latency_mean_ms', 'throughput_ips', 'energy_net_per_inference_j', 'accuracy_top1'],
  },
};

export const studyFile = (study: string, file: string) => packageFile(`experiments/${study}/${file}`);

/** The spec of a study, read for the machine the studies were run on: two CPUs, Linux. */
export async function readStudySpec(study: string): Promise<ExperimentSpec> {
  return parseSpec(await readFile(studyFile(study, 'spec.yaml'), 'utf8'), `experiments/${study}/spec.yaml`, {
    onlineCpus: [0, 1],
    memoryBytes: 8e9,
    platform: 'linux',
    modelNames: modelNames(),
    isKnownModel,
    readText: () => undefined,
  }).spec;
}

/** The kept tables of a study by file name, made of its kept trials as they are analysed today. */
export async function tabulateStudy(study: string): Promise<ReadonlyMap<string, ResultTable>> {
  const spec = await readStudySpec(study);
  const { tables, responses } = STUDIES[study] ?? { tables: [], responses: [] };
  const factors = Object.keys(spec.factors);
  const analysis = analyzeTable(await readCsvTable(studyFile(study, 'trials.csv'), factors), {
    factors,
    objectives: spec.objectives,
    contexts: spec.contexts,
    confidence: spec.measure.confidence,
    responses,
  });
  return new Map(tables.map((name) => [name, tabulate(name, analysis)]));
}

function tabulate(name: string, analysis: Analysis): ResultTable {
  const table = RESULT_TABLES[name]?.(analysis);
  if (table === undefined) throw new Error(`dse analyze makes no ${name}`);
  return table;
}

async function keep(study: string, resultsDir: string | undefined): Promise<void> {
  if (resultsDir !== undefined) await copyFile(path.join(resultsDir, 'trials.csv'), studyFile(study, 'trials.csv'));
  for (const [name, { columns, rows }] of await tabulateStudy(study)) {
    await writeFile(studyFile(study, name), renderCsv(columns, rows));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [study = '', resultsDir] = process.argv.slice(2);
  if (STUDIES[study] === undefined) throw new Error(`name a study: ${Object.keys(STUDIES).join(', ')}`);
  await keep(study, resultsDir);
}
