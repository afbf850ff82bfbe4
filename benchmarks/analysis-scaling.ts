/**
 * Time and memory of the analysis against the rows of a CSV file: 20 columns, a context of 10 values, a front of three objectives, the correlations of those
 * between every two values of the context, and main effects on each.
 *
 * The file is read as a stream, as `dse analyze` reads it; `ns/row` shows whether time grows linearly. Each size runs in a process of its own, so
 * that `peak` is its own. Ends with 1 where a million rows take more than 10 s or 1.5 GB.
 *
 * Usage: analysis-scaling.ts [most rows, 1000000]
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { analyzeTable } from '../src/analysis/index.ts';
import { readCsvTable } from '../src/cli/read-table.ts';
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
  readonly readS: number;
  readonly frontS: number;
  readonly effectsS: number;
  readonly peakMb: number;
  readonly onFront: number;
}

const [mode, argument] = process.argv.slice(2);
if (mode === '--one') console.log(JSON.stringify(await measure(argument ?? '')));
else compare(Number(mode ?? 1e6));

function compare(mostRows: number): void {
  console.log('    rows    read s   front and correlations s   effects s     all s    ns/row   peak MB  on front');
  const folder = mkdtempSync(path.join(tmpdir(), 'dse-scaling-'));
  let isWithin = true;
  try {
    for (const rows of [1e4, 1e5, 1e6].filter((size) => size <= mostRows)) {
      const file = path.join(folder, `${rows}.csv`);
      writeTable(file, rows);
      const output = execFileSync(process.execPath, [...process.execArgv, import.meta.filename, '--one', file]);
      const { readS, frontS, effectsS, peakMb, onFront } = JSON.parse(output.toString()) as Figures;
      const allS = readS + frontS + effectsS;
      const cells = [readS.toFixed(2), frontS.toFixed(2).padStart(27), effectsS.toFixed(2).padStart(12)];
      cells.push(allS.toFixed(2), ((allS / rows) * 1e9).toFixed(0), peakMb.toFixed(0), `${onFront}`);
      console.log(`${rows}`.padStart(8) + cells.map((cell) => cell.padStart(10)).join(''));
      if (allS > LIMIT_S || peakMb > LIMIT_MB) isWithin = false;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.exitCode = isWithin ? 0 : 1;
}

function writeTable(file: string, rows: number): void {
  const rng = createRng(1);
  const handle = openSync(file, 'w');
  writeSync(handle, `${[...FACTORS, ...OBJECTIVES, ...OTHERS].join(',')}\n`);
  for (let start = 0; start < rows; start += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, rows - start) }, (_, index) =>
      makeRow(start + index, rng.uniform(), rng.uniform(), rng.uniform()).join(','),
    );
    writeSync(handle, `${chunk.join('\n')}\n`);
  }
  closeSync(handle);
}

async function measure(file: string): Promise<Figures> {
  const started = performance.now();
  const table = await readCsvTable(file, FACTORS);
  const read = performance.now();
  const analysis = analyzeTable(table, {
    factors: FACTORS,
    objectives: [
      { response: 'latency_ms', direction: 'minimize' },
      { response: 'energy_j', direction: 'minimize' },
      { response: 'accuracy', direction: 'maximize' },
    ],
    contexts: ['model'],
    responses: OBJECTIVES,
  });
  // Worked out when asked for.
  if (analysis.correlations.some(({ outcome }) => 'reason' in outcome)) throw new Error('a pair has no correlation');
  const correlated = performance.now();
  if (analysis.effects.some(({ outcome }) => 'reason' in outcome)) throw new Error('a response has no effects');
  const ended = performance.now();
  return {
    readS: (read - started) / 1e3,
    frontS: (correlated - read) / 1e3,
    effectsS: (ended - correlated) / 1e3,
    peakMb: process.resourceUsage().maxRSS / 1e3,
    onFront: analysis.fronts[0]?.onFront.reduce((count, mark) => count + mark, 0) ?? 0,
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
