import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { dse, scratchFolder } from './dse.ts';

// Two models at four batches. Latency of b is exactly twice that of a; by hand: a/1 has the least latency, b/4 the best accuracy, a/4 is worse than a/1 in everything.
const TABLE = `\uFEFFmodel,batch,latency_ms,accuracy
a,1,10,0.80
a,2,12,0.85
a,3,15,0.90
a,4,20,0.70
b,1,20,0.91
b,2,24,0.93
b,3,30,0.92
b,4,40,0.99
b,4,40,0.97
`;

async function readRows(file: string): Promise<Record<string, string>[]> {
  return parse(await readFile(file, 'utf8'), { columns: true }) as Record<string, string>[];
}

const ASK = ['--factors', 'model,batch', '--minimize', 'latency_ms', '--maximize', 'accuracy', '--context', 'model'];

test("anyone's table gets its fronts, correlations and summaries, replicates averaged", async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', TABLE);
  const { exitCode, stdout } = await dse(['analyze', 'table.csv', ...ASK, '--out', 'out'], { cwd: scratch.dir });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('Pareto front: 6 of 8 configurations');

  const fronts = await readRows(path.join(scratch.dir, 'out', 'pareto.csv'));
  const front = (name: string) =>
    fronts.filter((row) => row.front === name && row.on_front === 'true').map(({ model, batch }) => `${model}${batch}`);
  expect(front('all')).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b4']);
  expect(front('model=a')).toEqual(['a1', 'a2', 'a3']);
  expect(front('model=b')).toEqual(['b1', 'b2', 'b4']);
  const averaged = fronts.find(({ front: name, model, batch }) => name === 'all' && model === 'b' && batch === '4');
  expect(Number(averaged?.accuracy)).toBeCloseTo(0.98, 12);

  const correlations = await readRows(path.join(scratch.dir, 'out', 'correlations.csv'));
  const latency = correlations.find(({ response }) => response === 'latency_ms');
  expect(latency).toMatchObject({ context: 'model', a: 'a', b: 'b', n: '4' });
  expect(Number(latency?.pearson)).toBeCloseTo(1, 12);
  expect(Number(latency?.kendall)).toBe(1);
});

test('a table without the columns that are named is refused with all of them', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', TABLE);
  const { exitCode, stderr } = await dse(
    ['analyze', 'table.csv', '--factors', 'model,colour', '--minimize', 'joules', '--out', 'out'],
    { cwd: scratch.dir },
  );
  expect(exitCode).toBe(2);
  expect(stderr).toContain('colour');
  expect(stderr).toContain('joules');
});

test('a table whose factors and objectives are not named is a usage error', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', TABLE);
  const { exitCode, stderr } = await dse(['analyze', 'table.csv'], { cwd: scratch.dir });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--factors');
  expect(stderr).toContain('--minimize');
});

test('a folder that holds no results is refused', async () => {
  await using scratch = await scratchFolder();
  const { exitCode, stderr } = await dse(['analyze', scratch.dir]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('manifest.json');
});
