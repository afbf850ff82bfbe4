import { type Analysis, analyzeTable, RESULT_TABLES, tableFromRecords } from '../../src/analysis/index.ts';
import { analyzeRead } from '../../src/cli/analyze-results.ts';
import { readPageAssets } from '../../src/cli/report-assets.ts';
import { createReport, type Report, type ReportPart, renderPage } from '../../src/report/index.ts';
import type { Results } from '../../src/store/index.ts';
import { type SyntheticOptions, syntheticResults } from './synthetic-results.ts';

function partOf(name: string, analysis: Analysis, results: Results | undefined, withTables = true): ReportPart {
  return {
    name,
    source: `results/${name}`,
    results,
    analysis,
    tables: withTables
      ? new Map(Object.entries(RESULT_TABLES).map(([file, tabulate]) => [file, tabulate(analysis)]))
      : new Map(),
    latencies: [],
  };
}

/** A made-up result folder as a part of a report. @param withTables - false leaves out effects, which take long on a large design */
export function syntheticPart({
  withTables,
  ...options
}: SyntheticOptions & { withTables?: boolean } = {}): ReportPart {
  const results = syntheticResults(options);
  const asked = { objectives: [], contexts: [], constraints: [], allowMixedEnergy: false };
  return partOf(options.name ?? 'synthetic', analyzeRead([results], asked), results, withTables);
}

/** A plain table as a part of a report. */
export function tablePart(rows: Parameters<typeof tableFromRecords>[0]): ReportPart {
  const analysis = analyzeTable(tableFromRecords(rows), {
    factors: ['colour'],
    objectives: [
      { response: 'cost', direction: 'minimize' },
      { response: 'gain', direction: 'maximize' },
    ],
    contexts: [],
  });
  return partOf('table.csv', analysis, undefined);
}

export async function makePage(parts: readonly ReportPart[]): Promise<{ page: string; report: Report }> {
  const report = createReport(parts, '0.0.0');
  return { report, page: await renderPage(report, await readPageAssets(), '0.0.0') };
}

/** The data that the page's charts are drawn from. */
export function dataOf(page: string): {
  charts: Record<string, { spec: object; data: Record<string, Record<string, number>> }>;
  columns: (string | number | boolean | null)[][];
} {
  const [, text = ''] = /<script type="application\/json" id="report-data">(.*)<\/script>/.exec(page) ?? [];
  return JSON.parse(text);
}
