/**
 * Time and memory of the analysis against the rows of the table: 20 columns, a context of 10 values, a front of three objectives, the correlations of those
 * between every two values of the context, and main effects on each.
 *
 * The rows are made cell by cell as text, as a CSV reader would hand them over; `ns/row` shows whether time grows linearly. Each size runs in a process of its own, so
 * that `peak` is its own. Ends with 1 where a million rows take more than 10 s or 1.5 GB.
 *
 * Usage: analysis-scaling.ts [most rows, 1000000]
 */
import { execFileSync } from 'node:child_process';
import { analyzeTable, createTableBuilder } from '../src/analysis/index.ts';
import { createRng } from '../src/rng.ts';

const LIMIT_S = 10;
const LIMIT_MB = 1500;
const CHUNK = 10_000;
const CONTEXTS = 10;
const LEVELS = [10, 10, 10, 5, 4, 3, 2, 2];
const FACTORS = ['model', ...LEVELS.map((_, index) => `factor_${index}`)];
const OBJECTIVES = ['latency_ms', 'energy_j', 'accuracy'];
const OTHERS = Array.from({ length: 20 - FACTORS.length - OBJECTIVES.length }, (_, index) => `response_${index}`);

interface Figures {
  readonly rows: number;
  readonly buildS: number;
  readonly analyzeS: number;
  readonly peakMb: number;
  readonly onFront: number;
}

const [mode, argument] = process.argv.slice(2);
if (mode === '--one') console.log(JSON.stringify(measure(Number(argument))));
else compare(Number(mode ?? 1e6));

function compare(mostRows: number): void {
  console.log('    rows   build s  analyze s    ns/row   peak MB  on front');
  let isWithin = true;
  for (const rows of [1e4, 1e5, 1e6].filter((size) => size <= mostRows)) {
    const output = execFileSync(process.execPath, [...process.execArgv, import.meta.filename, '--one', `${rows}`]);
    const { buildS, analyzeS, peakMb, onFront } = JSON.parse(output.toString()) as Figures;
    const nsPerRow = ((buildS + analyzeS) / rows) * 1e9;
    const cells = [buildS.toFixed(2), analyzeS.toFixed(2), nsPerRow.toFixed(0), peakMb.toFixed(0), `${onFront}`];
    console.log(`${rows}`.padStart(8) + cells.map((cell) => cell.padStart(10)).join(''));
    if (buildS + analyzeS > LIMIT_S || peakMb > LIMIT_MB) isWithin = false;
  }
  process.exitCode = isWithin ? 0 : 1;
}

function measure(rows: number): Figures {
  const builder = createTableBuilder([...FACTORS, ...OBJECTIVES, ...OTHERS], FACTORS);
  const rng = createRng(1);
  let buildMs = 0;
  // Rows are made in chunks, so that making them is not counted and memory does not hold them all.
  for (let start = 0; start < rows; start += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, rows - start) }, (_, index) =>
      makeRow(start + index, rng.uniform(), rng.uniform(), rng.uniform()),
    );
    const started = performance.now();
    for (const row of chunk) builder.add(row);
    buildMs += performance.now() - started;
  }
  const table = builder.finish();
  const built = performance.now();
  const { fronts, effects } = analyzeTable(table, {
    factors: FACTORS,
    objectives: [
      { response: 'latency_ms', direction: 'minimize' },
      { response: 'energy_j', direction: 'minimize' },
      { response: 'accuracy', direction: 'maximize' },
    ],
    contexts: ['model'],
    responses: OBJECTIVES,
  });
  if (effects.some(({ outcome }) => 'reason' in outcome)) throw new Error('a response has no effects');
  const ended = performance.now();
  return {
    rows,
    buildS: buildMs / 1e3,
    analyzeS: (ended - built) / 1e3,
    peakMb: process.resourceUsage().maxRSS / 1e3,
    onFront: fronts[0]?.onFront.reduce((count, mark) => count + mark, 0) ?? 0,
  };
}

/** Row number -> levels by mixed radix, so that no combination comes twice; responses that depend on them and on chance. */
function makeRow(row: number, a: number, b: number, c: number): string[] {
  const levels: string[] = [`model${row % CONTEXTS}`];
  let rest = Math.floor(row / CONTEXTS);
  for (const count of LEVELS) {
    levels.push(`${rest % count}`);
    rest = Math.floor(rest / count);
  }
  const latency = 5 + (row % 1000) / 100 + 10 * a;
  const responses = [
    latency,
    100 / latency + b,
    0.7 + 0.01 * latency + 0.1 * c,
    ...OTHERS.map((_, index) => a * index + b),
  ];
  return [...levels, ...responses.map((value) => value.toFixed(6))];
}
