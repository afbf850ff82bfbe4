import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { compare } from '../../src/cli/commands/compare.ts';
import { dse, scratchFolder } from './dse.ts';

const NOISE = [0.99, 1, 1.01];

/** Two batches, three replicates; latency times `factor`. */
function table(factor: number): string {
  const rows = [1, 2].flatMap((batch) => NOISE.map((noise) => `${batch},${10 * batch * factor * noise},0.9`));
  return `batch,latency_ms,accuracy\n${rows.join('\n')}\n`;
}

const ASK = ['--factors', 'batch', '--minimize', 'latency_ms', '--maximize', 'accuracy'];

test('a slower run is a regression: exit code 1, and a summary for the pull request', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('base.csv', table(1));
  await scratch.file('new.csv', table(1.2));
  const { exitCode, stdout } = await dse(['compare', 'base.csv', 'new.csv', ...ASK, '--markdown', 'summary.md'], {
    cwd: scratch.dir,
  });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('Regression: 1 of 2 responses got worse over 2 configurations');
  expect(stdout).toMatch(/latency_ms +15 +18 +\+20\.0 %/);
  const summary = await readFile(path.join(scratch.dir, 'summary.md'), 'utf8');
  expect(summary).toContain('### Regression');
  expect(summary).toContain('| accuracy | 0.9 | 0.9 | 0.0 % |');
});

test('the same run again is none, a faster one neither, and a threshold lets a slower one pass', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('base.csv', table(1));
  await scratch.file('slow.csv', table(1.2));
  await scratch.file('fast.csv', table(0.8));
  const exitCodes = await Promise.all(
    [
      ['base.csv', 'base.csv'],
      ['base.csv', 'fast.csv'],
      ['base.csv', 'slow.csv', '--threshold', 'latency_ms=30%'],
    ].map(async (inputs) => (await dse(['compare', ...inputs, ...ASK], { cwd: scratch.dir })).exitCode),
  );
  expect(exitCodes).toEqual([0, 0, 0]);
});

test('two configurations of one table are compared by selecting a level on each side', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', table(1));
  const { exitCode, stdout } = await dse(['compare', 'table.csv?batch=1', 'table.csv?batch=2', ...ASK, '--json'], {
    cwd: scratch.dir,
  });
  expect(exitCode).toBe(1);
  const { overall, isRegression } = JSON.parse(stdout);
  expect(isRegression).toBe(true);
  expect(overall[0]).toMatchObject({ response: 'latency_ms', verdict: 'regression', base: 10, next: 20 });
});

test('a level may hold an equals sign', async () => {
  await using scratch = await scratchFolder();
  const rows = ['a=1', 'b=2'].flatMap((mode) =>
    [10, 11].map((latency) => `${mode},${mode === 'a=1' ? latency : 2 * latency}`),
  );
  await scratch.file('table.csv', `mode,latency_ms\n${rows.join('\n')}\n`);
  const inputs = ['table.csv?mode=a=1', 'table.csv?mode=b=2'];
  const { stdout } = await dse(['compare', ...inputs, '--factors', 'mode', '--minimize', 'latency_ms', '--json'], {
    cwd: scratch.dir,
  });
  expect(JSON.parse(stdout).overall[0]).toMatchObject({ base: 10.5, next: 21 });
});

test('bad input is exit code 2', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', table(1));
  const { exitCode, stderr } = await dse(['compare', 'table.csv', 'table.csv'], { cwd: scratch.dir });
  expect(stderr).toContain('the factors of the table are not named');
  expect(exitCode).toBe(2);
});

const BATCH = { factors: 'batch', minimize: ['latency_ms'] };

test.each([
  [['table.csv', 'table.csv'], { factors: 'batch' }, 'no response is named'],
  [['table.csv', 'table.csv'], { ...BATCH, minimize: ['joules'] }, 'the table has no such column'],
  [['table.csv', 'table.csv'], { ...BATCH, factors: 'colour' }, 'the table has no such column'],
  [['table.csv?batch=9', 'table.csv'], BATCH, 'no row has batch=9'],
  [['table.csv?size=1', 'table.csv'], BATCH, '"size" is not one of the factors'],
  [['table.csv?batch', 'table.csv'], BATCH, '"batch" does not select a level'],
  [['table.csv?batch=1&size=2', 'table.csv'], BATCH, 'no row has batch=1&size=2'],
  [['table.csv?batch=1&size=2', 'table.csv'], BATCH, "Commas separate levels, e.g. '"],
  [['table.csv?batch=1;size=2', 'table.csv'], BATCH, "Commas separate levels, e.g. '"],
  [['table.csv?size=2&batch=1', 'table.csv'], BATCH, "Commas separate levels, e.g. '"],
  [
    ['infinite.csv', 'table.csv'],
    BATCH,
    'infinite.csv: column "latency_ms"  2 cells are not a finite number: "Infinity" in row 2 (trial b7), "-inf" in row 3 (trial c9)',
  ],
  [['table.csv', 'other.csv'], BATCH, 'no configuration has usable trials on both sides'],
  [['table.csv', 'table.csv'], { ...BATCH, threshold: ['latency_ms=fast'] }, '"latency_ms=fast" is not a threshold'],
  [['table.csv', 'table.csv'], { ...BATCH, threshold: ['power=5%'] }, 'nothing says which way power is better'],
  [['nowhere', 'table.csv'], BATCH, 'this is not a result folder'],
])('compare %j with %j is refused: %s', async ([base = '', next = ''], options, message) => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', table(1));
  await scratch.file('other.csv', 'batch,latency_ms\n7,1\n7,2\n');
  await scratch.file('infinite.csv', 'trial_id,batch,latency_ms\na1,1,1\nb7,2,Infinity\nc9,2,-inf\n');
  const inFolder = (name: string) => path.join(scratch.dir, name);
  await expect(
    compare(inFolder(base), inFolder(next), { minimize: [], maximize: [], threshold: [], format: 'text', ...options }),
  ).rejects.toThrow(message);
});
