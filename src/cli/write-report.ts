import { constants, copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, StoreError } from '../errors.ts';
import { packageFile } from '../package-files.ts';
import { type ChartSpecs, chartsOf, drawSvg, type Report } from '../report/index.ts';
import { isTableFile } from './analyze-input.ts';
import { createPngDrawer } from './draw-png.ts';
import { writeAnalysis } from './write-analysis.ts';

/** Where a report goes. */
export interface ReportPlace {
  readonly page: string;
  /** Of each input: where its tables and its notebook go. */
  readonly tables: readonly string[];
}

/** @param out - a folder, or the page itself where it ends in `.html`; absent: beside the tables of the first input */
export function placeReport(inputs: readonly string[], out: string | undefined): ReportPlace {
  const own = inputs.map((input) => path.join(isTableFile(input) ? path.dirname(input) : input, 'analysis'));
  const [first = ''] = own;
  if (out === undefined) return { page: path.join(first, 'report.html'), tables: own };
  const isPage = /\.html?$/i.test(out);
  const dir = isPage ? path.dirname(out) : out;
  return {
    page: isPage ? out : path.join(out, 'report.html'),
    tables: inputs.length === 1 ? [dir] : inputs.map((_, index) => path.join(dir, `part-${index + 1}`)),
  };
}

/** A file that was written, and what a user should know of it. */
interface Written {
  readonly file: string;
  readonly what: string;
}

interface ReportFiles {
  readonly report: Report;
  readonly page: string;
  readonly specs: ChartSpecs;
  readonly place: ReportPlace;
  readonly withFigures: boolean;
}

/** Writes the page, every figure as SVG and PNG, the tables and the notebook; returns what was written, for the user. */
export async function writeReport({ report, page, specs, place, withFigures }: ReportFiles) {
  const written: Written[] = [];
  try {
    for (const [index, { part }] of report.chapters.entries()) {
      const dir = place.tables[index] as string;
      const files = await writeAnalysis(part.analysis, dir);
      written.push({ file: dir, what: `${files.length} tables` }, await writeNotebook(path.join(dir, 'report.ipynb')));
    }
    if (withFigures) {
      const folder = path.join(path.dirname(place.page), 'figures');
      const count = await writeFigures(report, specs, folder);
      written.push({ file: folder, what: `${count} figures, each as SVG and PNG` });
    }
    await mkdir(path.dirname(place.page), { recursive: true });
    await writeFile(`${place.page}.tmp`, page);
    await rename(`${place.page}.tmp`, place.page);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw new StoreError(
      {
        where: place.page,
        what: `the report cannot be written: ${messageOf(error)}`,
        hint: 'Make room, or choose another place with --out.',
      },
      error,
    );
  }
  return [
    ...written,
    { file: place.page, what: `${(Buffer.byteLength(page) / 1e6).toFixed(1)} MB, open it in a browser` },
  ];
}

/** Puts the notebook beside the tables it reads; one that is there already may hold a user's work and stays. */
async function writeNotebook(file: string): Promise<Written> {
  try {
    await copyFile(packageFile('analysis/report.ipynb'), file, constants.COPYFILE_EXCL);
    return { file, what: 'run it with Jupyter' };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return { file, what: 'there already, left as it is' };
  }
}

async function writeFigures(report: Report, specs: ChartSpecs, folder: string): Promise<number> {
  const charts = chartsOf(report);
  const drawPng = await createPngDrawer();
  await mkdir(folder, { recursive: true });
  for (const { key, chart } of charts) {
    const name = report.chapters.length === 1 ? chart.id : `${key}-${chart.id}`;
    const svg = await drawSvg(chart, specs);
    await writeFile(path.join(folder, `${name}.svg`), svg);
    await writeFile(path.join(folder, `${name}.png`), drawPng(svg));
  }
  return charts.length;
}
