import path from 'node:path';
import { AnalysisError, DseError } from '../../errors.ts';
import { renderFronts } from '../../report/index.ts';
import { cpuLockFolder, runExperiment } from '../../run/index.ts';
import { analyzeResults } from '../analyze-results.ts';
import { modelCacheDir } from '../cache-dir.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { interruptOnSignals } from '../interrupt.ts';
import { createReporter, parseReporterKind } from '../reporters/index.ts';
import { readSpec } from '../spec-file.ts';
import { writeAnalysis } from '../write-analysis.ts';

interface RunCommandOptions {
  readonly out?: string;
  readonly engine?: string;
  readonly context?: string;
  readonly reporter?: string;
  readonly strict?: boolean;
  readonly shareCpus?: boolean;
  readonly json?: boolean;
}

/** `dse run`: runs what is missing of an experiment, then analyses all of it. */
export async function run(specFile: string, options: RunCommandOptions): Promise<ExitCode> {
  const { spec, locate } = await readSpec(specFile, options);
  const outDir = options.out ?? path.join('results', spec.name);
  const stream = options.json ? process.stderr : process.stdout;
  const reporter = await createReporter(parseReporterKind(options.reporter, stream), stream);
  using interrupt = interruptOnSignals();
  let outcome: Awaited<ReturnType<typeof runExperiment>>;
  try {
    outcome = await runExperiment(spec, {
      outDir,
      baseDir: path.dirname(spec.file),
      cacheDir: modelCacheDir(),
      ...(options.shareCpus ? {} : { cpuLockFolder: cpuLockFolder() }),
      signal: interrupt.signal,
      onEvent: (event) => reporter.report(event),
      locate,
    });
  } catch (error) {
    if (error instanceof DseError || !interrupt.signal.aborted) throw error;
    if (options.json) process.stdout.write(`${JSON.stringify({ outcome: 'interrupted', outDir, files: [] })}\n`);
    process.stderr.write('Interrupted before anything was measured; the same command starts again.\n');
    return EXIT.interrupted;
  } finally {
    await reporter.close();
  }
  const hasTrials = outcome.alreadyDone + outcome.counts.done + outcome.counts.failed > 0;
  const summary = hasTrials ? await summarize(outDir) : undefined;
  if (options.json) process.stdout.write(`${JSON.stringify({ ...outcome, files: summary?.files ?? [] })}\n`);
  else if (summary !== undefined) process.stdout.write(summary.text);
  if (outcome.outcome === 'interrupted') {
    process.stderr.write(`Interrupted. Everything recorded is in ${outDir}; the same command goes on from there.\n`);
    return EXIT.interrupted;
  }
  const isMissed = outcome.counts.failed > 0 || (options.strict === true && outcome.counts.invalid > 0);
  return isMissed ? EXIT.failed : EXIT.ok;
}

interface RunSummary {
  readonly text: string;
  readonly files: readonly string[];
}

/** Analyses the whole folder, writes its tables and says in words what came out and what could not be measured; where there is too little for that yet, it says so. */
async function summarize(outDir: string): Promise<RunSummary> {
  try {
    return await analyzeAndWrite(outDir);
  } catch (error) {
    if (!(error instanceof AnalysisError)) throw error;
    const trials = path.join(outDir, 'trials.csv');
    return { text: `\nNo front yet: ${error.message}\nwrote ${trials}\n`, files: [trials] };
  }
}

async function analyzeAndWrite(outDir: string): Promise<RunSummary> {
  const { analysis, results } = await analyzeResults([outDir], {
    objectives: [],
    contexts: [],
    constraints: [],
    allowMixedEnergy: false,
  });
  const files = [path.join(outDir, 'trials.csv'), ...(await writeAnalysis(analysis, path.join(outDir, 'analysis')))];
  const written = files.map((file) => `wrote ${file}\n`).join('');
  return { text: `\n${renderFronts(analysis, results)}\n${written}`, files };
}
