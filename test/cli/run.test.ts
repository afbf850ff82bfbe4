import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dse, scratchFolder, smallSpec } from './dse.ts';

type Row = Readonly<Record<string, string>>;

async function readTrials(outDir: string): Promise<Row[]> {
  return parse(await readFile(path.join(outDir, 'trials.csv'), 'utf8'), { columns: true }) as Row[];
}

/** Waits until the journal holds this many trials. */
async function journalReaches(outDir: string, trials: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const text = await readFile(path.join(outDir, 'journal.jsonl'), 'utf8').catch(() => '');
    if (text.split('"kind":"trial"').length > trials) return;
    await delay(100);
  }
  throw new Error(`the journal did not reach ${trials} trials within a minute`);
}

/** A finished run of `small.yaml` in results/small, which the tests below copy. */
let finished: Awaited<ReturnType<typeof scratchFolder>>;
let first: Awaited<ReturnType<typeof dse>>;

beforeAll(async () => {
  finished = await scratchFolder();
  await finished.file('small.yaml', smallSpec());
  first = await dse(['run', 'small.yaml', '--reporter', 'plain'], { cwd: finished.dir });
}, 120_000);
afterAll(() => finished[Symbol.asyncDispose]());

/** A folder of its own with a copy of the finished run. */
async function copyOfFinished(): ReturnType<typeof scratchFolder> {
  const scratch = await scratchFolder();
  await cp(finished.dir, scratch.dir, { recursive: true });
  return scratch;
}

test('a run measures every trial, shows the front, and a second run finds nothing left to do', {
  timeout: 120_000,
}, async () => {
  expect(first.stderr).toBe('');
  expect(first.exitCode).toBe(0);
  expect(first.stdout).toContain('Pareto front');

  const outDir = path.join(finished.dir, 'results', 'small');
  const rows = await readTrials(outDir);
  expect(rows).toHaveLength(4);
  for (const row of rows) {
    expect(row).toMatchObject({
      state: 'done',
      model: 'mnist-cnn',
      threads: '1',
      replicate: '1',
      energy_source: expect.any(String),
    });
    // The accuracy is that of the served answers: 1,000 labelled digits, far from chance and from a constant.
    expect(Number(row.accuracy_top1)).toBeGreaterThan(0.9);
    expect(row.accuracy_source).toBe('served');
    // The bare model is a bound that the server cannot beat by more than noise.
    expect(Number(row.bare_latency_ms)).toBeGreaterThan(0);
    expect(Number(row.bare_throughput_ips) * Number(row.bare_latency_ms)).toBeGreaterThanOrEqual(999);
    expect(Number(row.throughput_ips)).toBeCloseTo(Number(row.achieved_rps) * Number(row.batch), 6);
    expect(Number(row.cpu_util)).toBeGreaterThan(0);
    expect(Number(row.latency_mean_ms)).toBeGreaterThan(Number(row.compute_ms));
  }
  // Every configuration stands in the table of fronts, also those that a busy machine made invalid.
  const fronts = parse(await readFile(path.join(outDir, 'analysis', 'pareto.csv'), 'utf8'), { columns: true }) as Row[];
  expect(fronts.filter(({ front }) => front === 'all')).toHaveLength(4);
  expect(await readFile(path.join(outDir, 'analysis', 'summary.csv'), 'utf8')).toContain('response,n,mean');
  expect(await readFile(path.join(outDir, 'analysis', 'correlations.csv'), 'utf8')).toContain('pearson');

  const second = await dse(['run', 'small.yaml', '--json'], { cwd: finished.dir });
  expect(JSON.parse(second.stdout)).toMatchObject({ alreadyDone: 4, counts: { done: 0, failed: 0 } });
  expect(await readTrials(outDir)).toEqual(rows);
});

test('a level added to the spec runs only the new trials', { timeout: 120_000 }, async () => {
  await using scratch = await copyOfFinished();
  await scratch.file('small.yaml', smallSpec([1, 2, 3]));
  const grown = await dse(['run', 'small.yaml', '--json'], { cwd: scratch.dir });
  expect(JSON.parse(grown.stdout)).toMatchObject({ alreadyDone: 4, counts: { done: 2, failed: 0 } });
});

test('Ctrl-C keeps what was recorded, leaves nothing running, and the same command goes on', {
  timeout: 120_000,
}, async () => {
  await using scratch = await copyOfFinished();
  await scratch.file('small.yaml', smallSpec([1, 2, 3]));
  const outDir = path.join(scratch.dir, 'results', 'small');
  const running = dse(['run', 'small.yaml', '--reporter', 'plain'], { cwd: scratch.dir });
  await journalReaches(outDir, 5);
  // Twice, as a process gets it that is in the group of what passes the signal on to it: it is one Ctrl-C all the same.
  running.kill('SIGINT');
  await delay(50);
  running.kill('SIGINT');
  const interrupted = await running;
  expect(interrupted.exitCode).toBe(130);
  expect(interrupted.stderr).toContain('the same command goes on from there');
  expect((await dse(['clean'])).stdout).toBe('Nothing was left behind.');

  const recorded = (await readTrials(outDir)).length;
  expect(recorded).toBe(5);
  const resumed = await dse(['run', 'small.yaml', '--json'], { cwd: scratch.dir });
  expect(JSON.parse(resumed.stdout)).toMatchObject({ alreadyDone: 5, counts: { done: 1 } });
});

test('kill -9 loses nothing that was recorded, and the next run cleans up and goes on', {
  timeout: 120_000,
}, async () => {
  await using scratch = await copyOfFinished();
  await scratch.file('small.yaml', smallSpec([1, 2, 3]));
  const outDir = path.join(scratch.dir, 'results', 'small');
  const running = dse(['run', 'small.yaml', '--reporter', 'plain'], { cwd: scratch.dir });
  await journalReaches(outDir, 5);
  running.kill('SIGKILL');
  await running;
  const seen = JSON.parse((await dse(['clean', '--dry-run', '--json'])).stdout);
  expect(seen.foundLocks).not.toEqual([]);
  const resumed = await dse(['run', 'small.yaml', '--json'], { cwd: scratch.dir });
  expect(JSON.parse(resumed.stdout)).toMatchObject({ alreadyDone: 5, counts: { done: 1 } });
  expect((await dse(['clean'])).stdout).toBe('Nothing was left behind.');
});

test('a result folder of another experiment is refused and stays as it was', { timeout: 120_000 }, async () => {
  await using scratch = await copyOfFinished();
  await scratch.file('other.yaml', smallSpec().replace('name: small', 'name: other'));
  const outDir = path.join(scratch.dir, 'results', 'small');
  const before = await readTrials(outDir);
  const refused = await dse(['run', 'other.yaml', '--reporter', 'plain', '--out', outDir], { cwd: scratch.dir });
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('--out');
  expect(refused.stderr).not.toContain('at ');
  expect(await readTrials(outDir)).toEqual(before);
});

test('a corrupt line in the middle of the journal is named and nothing is run', { timeout: 120_000 }, async () => {
  await using scratch = await copyOfFinished();
  const journal = path.join(scratch.dir, 'results', 'small', 'journal.jsonl');
  const lines = (await readFile(journal, 'utf8')).split('\n');
  lines[1] = lines[1]?.slice(0, 40) ?? '';
  await writeFile(journal, lines.join('\n'));
  const refused = await dse(['run', 'small.yaml', '--reporter', 'plain'], { cwd: scratch.dir });
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('journal.jsonl:2');
});
