/**
 * What the quickstart costs beyond what it measures: its length, the peak memory of the command-line process, the time a trial takes beyond its
 * warm-up and windows, and launches per configuration.
 *
 * One line a figure, each against its limit; ends with 1 where one is missed. Needs Linux (/proc) and a build. Usage: quickstart.ts [spec]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { median } from 'simple-statistics';
import { packageFile } from '../src/package-files.ts';
import { monotonicNs, NS_PER_S } from '../src/units.ts';

const LIMITS = { lengthS: 120, memoryMb: 250, overheadS: 1, launchesPerConfiguration: 1 };
const spec = process.argv[2] ?? packageFile('configs/quickstart.yaml');
const outDir = mkdtempSync(join(tmpdir(), 'dse-quickstart-'));

const startNs = monotonicNs();
const run = spawn(process.execPath, [packageFile('bin/dse.js'), 'run', spec, '--reporter', 'jsonl', '--out', outDir], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let peakMb = 0;
const watch = setInterval(() => {
  try {
    const status = readFileSync(`/proc/${run.pid}/status`, 'utf8');
    peakMb = Math.max(peakMb, (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6);
  } catch {
    // It has just ended.
  }
}, 100);
let output = '';
run.stdout.on('data', (chunk) => {
  output += chunk;
});
await once(run, 'close');
clearInterval(watch);
const lengthS = (monotonicNs() - startNs) / NS_PER_S;

const events = output
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line));
const launches = events.filter(({ type }) => type === 'server-starting');
const configurations = new Set(launches.map(({ configurationId, block }) => `${configurationId} ${block}`));
const rows = parse(readFileSync(join(outDir, 'trials.csv'), 'utf8'), { columns: true }) as Record<string, string>[];
const overheads = rows.map(
  (row) => Number(row.duration_s) - Number(row.warmup_s) - Number(row.windows) * Number(row.window_s),
);
rmSync(outDir, { recursive: true });

const figures = [
  ['length of the run', lengthS, LIMITS.lengthS, 's'],
  ['peak memory of the command-line process', peakMb, LIMITS.memoryMb, 'MB'],
  ['median time of a trial beyond warm-up and windows', median(overheads), LIMITS.overheadS, 's'],
  ['launches per server configuration', launches.length / configurations.size, LIMITS.launchesPerConfiguration, ''],
] as const;
for (const [name, value, limit, unit] of figures) {
  console.log(`${name}: ${value.toFixed(2)} ${unit} (limit ${limit}) ${value <= limit ? 'ok' : 'MISSED'}`);
}
console.log(`${rows.length} trials, verdicts: ${rows.map(({ verdict }) => verdict).join(' ')}`);
process.exitCode = figures.every(([, value, limit]) => value <= limit) ? 0 : 1;
