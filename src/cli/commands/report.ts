import path from 'node:path';
import { RESULT_TABLES } from '../../analysis/index.ts';
import { packageVersion } from '../../package-files.ts';
import { createReport, type ReportPart, renderPage } from '../../report/index.ts';
import { type AskOptions, analyzeInputs } from '../analyze-input.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readLatencyCurves } from '../latency-curves.ts';
import { openInBrowser } from '../open-in-browser.ts';
import { readPageAssets } from '../report-assets.ts';
import { placeReport, writeReport } from '../write-report.ts';

interface ReportOptions extends AskOptions {
  readonly out?: string;
  readonly open?: boolean;
  readonly figures: boolean;
}

/** `dse report`: one HTML page on one or several result folders, with its figures as files and a notebook, beside the tables they are made from. */
export async function report(inputs: readonly string[], options: ReportOptions): Promise<ExitCode> {
  const parts: ReportPart[] = [];
  for (const input of inputs) parts.push(await createPart(input, options));
  const place = placeReport(inputs, options.out);
  const assets = await readPageAssets();
  const content = createReport(parts, packageVersion());
  const page = await renderPage(content, assets, packageVersion());
  const written = await writeReport({
    report: content,
    page,
    specs: assets.specs,
    place,
    withFigures: options.figures,
  });
  for (const { file, what } of written) process.stdout.write(`wrote ${file}${what === '' ? '' : ` (${what})`}\n`);
  if (options.open) await openInBrowser(place.page);
  return EXIT.ok;
}

/** Analyses one folder or table by itself, so that folders side by side never mix. */
async function createPart(input: string, options: AskOptions): Promise<ReportPart> {
  const { analysis, results } = await analyzeInputs([input], options);
  const [folder] = results;
  return {
    name: folder?.manifest.experiment ?? path.basename(input),
    source: input,
    results: folder,
    analysis,
    tables: new Map(Object.entries(RESULT_TABLES).map(([name, tabulate]) => [name, tabulate(analysis)])),
    latencies: folder === undefined ? [] : await readLatencyCurves(analysis, folder),
  };
}
