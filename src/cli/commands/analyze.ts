import path from 'node:path';
import { renderFronts } from '../../report/index.ts';
import { type AskOptions, analyzeInputs, isTableFile } from '../analyze-input.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { writeAnalysis } from '../write-analysis.ts';

interface AnalyzeOptions extends AskOptions {
  readonly out?: string;
  readonly json?: boolean;
}

/** `dse analyze`: fronts, summaries and correlations of result folders or of one CSV table. */
export async function analyze(inputs: readonly string[], options: AnalyzeOptions): Promise<ExitCode> {
  const { analysis, results } = await analyzeInputs(inputs, options);
  const [first = ''] = inputs;
  const outDir = options.out ?? path.join(isTableFile(first) ? path.dirname(first) : first, 'analysis');
  const files = await writeAnalysis(analysis, outDir);

  if (options.json) {
    process.stdout.write(`${JSON.stringify({ counts: analysis.counts, notes: analysis.notes, files })}\n`);
  } else {
    process.stdout.write(`${renderFronts(analysis, results)}\n${files.map((file) => `wrote ${file}\n`).join('')}`);
  }
  return EXIT.ok;
}
