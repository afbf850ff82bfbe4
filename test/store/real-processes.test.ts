import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { compiledEntry, packageFile } from '../../src/package-files.ts';
import { openStore, readResults } from '../../src/store/index.ts';
import { doneRecord, manifestInput, temporaryFolder } from './examples.ts';

function writerCommand(outDir: string, histogramLength = 500): string[] {
  return [
    process.execPath,
    packageFile('test/store/append-until-stopped.mjs'),
    pathToFileURL(compiledEntry('store/index')).href,
    outDir,
    JSON.stringify(manifestInput()),
    JSON.stringify(doneRecord()),
    String(histogramLength),
  ];
}

function startWriter(outDir: string): ChildProcess {
  const [node = '', ...args] = writerCommand(outDir);
  return spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What the writer said it had recorded until `ids` of them were out, then kill -9 at once. */
async function killAfter(writer: ChildProcess, ids: number): Promise<string[]> {
  let said = '';
  const ended = new Promise((resolve) => writer.once('close', resolve));
  writer.stdout?.on('data', (chunk: Buffer) => {
    said += chunk;
    if (said.split('\n').length > ids) writer.kill('SIGKILL');
  });
  await ended;
  return said.split('\n').slice(0, -1);
}

async function stop(writer: ChildProcess): Promise<void> {
  if (writer.exitCode !== null || writer.signalCode !== null) return;
  const ended = new Promise((resolve) => writer.once('exit', resolve));
  writer.kill('SIGKILL');
  await ended;
}

async function firstOutput(writer: ChildProcess): Promise<void> {
  await new Promise((resolve) => writer.stdout?.once('data', resolve));
}

describe('a run that is killed with kill -9', () => {
  it('loses nothing it had reported as recorded, again and again', async () => {
    const outDir = temporaryFolder();
    const recorded = new Set<string>();
    for (let round = 0; round < 6; round++) {
      for (const id of await killAfter(startWriter(outDir), 3 + round * 7)) recorded.add(id);
      const { records, warnings } = await readResults(outDir);
      const found = records.map(({ trialId }) => trialId);
      expect(found).toEqual(found.map((_, index) => `t${index + 1}`));
      expect(found).toEqual(expect.arrayContaining([...recorded]));
      expect(warnings.length).toBeLessThanOrEqual(1);
      for (const id of found) expect(existsSync(join(outDir, 'histograms', `${id}.latency.hdr`)), id).toBe(true);
      // Whatever moment it was, the table is whole: a header and complete rows.
      parse(readFileSync(join(outDir, 'trials.csv')), { columns: true });
    }
    expect(recorded.size).toBeGreaterThan(100);
    await using store = await openStore(outDir, manifestInput());
    expect(store.finishedTrialIds().size).toBeGreaterThanOrEqual(recorded.size);
    const rows = parse(readFileSync(join(outDir, 'trials.csv')), { columns: true });
    expect(rows).toHaveLength(store.finishedTrialIds().size);
  });
});

describe('two runs on one folder', () => {
  it('do not meet: the second is told who holds it', async () => {
    const outDir = temporaryFolder();
    const writer = startWriter(outDir);
    try {
      await firstOutput(writer);
      await expect(openStore(outDir, manifestInput())).rejects.toThrow(
        new RegExp(
          `another dse writes into this folder: process ${writer.pid} on ${hostname()}, since 20.*Z\n {2}Wait until it is done, or choose another folder with --out DIR.$`,
        ),
      );
      // Reading is always possible.
      expect((await readResults(outDir)).records.length).toBeGreaterThan(0);
    } finally {
      await stop(writer);
    }
    await (await openStore(outDir, manifestInput()))[Symbol.asyncDispose]();
    expect(existsSync(join(outDir, 'dse.lock'))).toBe(false);
  });

  it('do not meet within one process either', async () => {
    const outDir = temporaryFolder();
    await using _store = await openStore(outDir, manifestInput());
    await expect(openStore(outDir, manifestInput())).rejects.toThrow(`process ${process.pid}`);
  });

  it('a lock whose process id now belongs to another process is stale', async () => {
    const outDir = temporaryFolder();
    const owner = {
      pid: process.pid,
      process: 'an earlier boot/1',
      host: hostname(),
      since: '2026-01-01T00:00:00.000Z',
    };
    writeFileSync(join(outDir, 'dse.lock'), JSON.stringify(owner));
    await using _store = await openStore(outDir, manifestInput());
    expect(JSON.parse(readFileSync(join(outDir, 'dse.lock'), 'utf8')).process).not.toBe(owner.process);
  });

  it('a lock of another machine is respected, and the message says how to remove it', async () => {
    const outDir = temporaryFolder();
    const owner = { pid: 1, process: 'b/1', host: 'elsewhere', since: '2026-01-01T00:00:00.000Z' };
    writeFileSync(join(outDir, 'dse.lock'), JSON.stringify(owner));
    await expect(openStore(outDir, manifestInput())).rejects.toThrow(
      'If no dse runs on elsewhere any more, delete this file.',
    );
  });

  it('many openers over one stale lock: exactly one gets it', async () => {
    const outDir = temporaryFolder();
    writeFileSync(join(outDir, 'dse.lock'), 'half a lo');
    const writers = Array.from({ length: 4 }, () => startQuietWriter(outDir));
    const outcomes = await Promise.all(writers.map(firstWord));
    for (const writer of writers) await stop(writer);
    expect(outcomes.filter((word) => word === 't1')).toHaveLength(1);
    expect(outcomes.filter((word) => word === 'refused')).toHaveLength(3);
  });
});

function startQuietWriter(outDir: string): ChildProcess {
  const [node = '', ...args] = writerCommand(outDir);
  return spawn(node, args, { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function firstWord(writer: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    writer.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().split('\n')[0] ?? ''));
    writer.once('exit', () => resolve('refused'));
  });
}

const ON_SMALL_DISK = `
  disk=$1; copy=$2; shift 2
  mount -t tmpfs -o size=256k none "$disk" && "$@"
  code=$?
  cp -r "$disk/out" "$copy"
  exit $code`;

/** Runs the writer in a mount namespace of its own, its folder on a disk of 256 KB, and copies the folder out afterwards. */
function runOnSmallDisk(disk: string, copy: string, histogramLength: number) {
  const command = writerCommand(join(disk, 'out'), histogramLength);
  return spawnSync('unshare', ['-m', 'sh', '-c', ON_SMALL_DISK, 'sh', disk, copy, ...command], {
    encoding: 'utf8',
    timeout: 25_000,
  });
}

// A mount namespace needs root; elsewhere a disk cannot be filled without filling the user's own.
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;

describe('a disk that is full', () => {
  it.skipIf(!canMount).each([
    { refused: 'a histogram', histogramLength: 5000, file: /histograms\/t\d+\.latency\.hdr/ },
    { refused: 'the journal or its table', histogramLength: 0, file: /journal\.jsonl|trials\.csv/ },
  ])('stops the run with a sentence at $refused, and everything recorded before is whole', async (kind) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'disk'));
    const { status, stdout, stderr } = runOnSmallDisk(join(folder, 'disk'), join(folder, 'copy'), kind.histogramLength);
    expect(status).toBe(2);
    expect(stderr).toMatch(kind.file);
    expect(stderr).toMatch(
      / {2}could not (write this file|record trial t\d+): the disk is full\n {2}Everything recorded so far is safe\. Free space on this disk, then run the same command again: it goes on where it stopped\.$/,
    );
    const recorded = stdout.split('\n').slice(0, -1);
    expect(recorded.length).toBeGreaterThan(10);
    const { records, warnings } = await readResults(join(folder, 'copy'));
    const found = records.map(({ trialId }) => trialId);
    expect(found.slice(0, recorded.length)).toEqual(recorded);
    expect(found.length - recorded.length).toBeLessThanOrEqual(1);
    expect(warnings).toEqual([]);
    await using store = await openStore(join(folder, 'copy'), manifestInput());
    await store.append(doneRecord({ trialId: 'with room again', replicate: 1e6 }));
    expect(store.finishedTrialIds().size).toBe(records.length + 1);
  });
});
