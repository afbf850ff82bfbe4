import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeSyntheticResults } from '../report/synthetic-results.ts';
import { dse, scratchFolder } from './dse.ts';

const few = { batches: 2, threads: 1 };

test('dse report writes the page, the tables and every figure as SVG and PNG', async () => {
  await using scratch = await scratchFolder();
  await writeSyntheticResults(path.join(scratch.dir, 'one'), few);
  const { exitCode, stdout, stderr } = await dse(['report', 'one'], { cwd: scratch.dir });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('wrote one/analysis/report.html');
  const dir = path.join(scratch.dir, 'one', 'analysis');
  const page = await readFile(path.join(dir, 'report.html'), 'utf8');
  // The histograms were found: a distribution for every server configuration, here four.
  expect(page.match(/class="chart" data-chart="latency-\d"/g)).toHaveLength(4);
  expect(await readdir(dir)).toEqual(expect.arrayContaining(['effects.csv', 'pareto.csv', 'summary.csv']));

  const figures = await readdir(path.join(dir, 'figures'));
  const charts = new Set([...page.matchAll(/class="chart" data-chart="([^"]+)"/g)].map(([, id]) => id));
  expect(figures.toSorted()).toEqual([...charts].flatMap((id) => [`${id}.png`, `${id}.svg`]).toSorted());
  const svg = await readFile(path.join(dir, 'figures', 'front-1.svg'), 'utf8');
  expect(svg).toContain('latency_mean_ms (ms), lower is better');
  expect(svg).not.toContain('var(--');
  const png = await readFile(path.join(dir, 'figures', 'front-1.png'));
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
});

test('several folders are analysed each by itself, and the page goes where --out says', async () => {
  await using scratch = await scratchFolder();
  await writeSyntheticResults(path.join(scratch.dir, 'measured'), few);
  await writeSyntheticResults(path.join(scratch.dir, 'estimated'), { ...few, energySource: 'estimate' });
  const args = ['report', 'measured', 'estimated', '--out', 'out/both.html', '--no-figures'];
  const { exitCode, stderr } = await dse(args, { cwd: scratch.dir });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect((await readdir(path.join(scratch.dir, 'out'))).toSorted()).toEqual(['both.html', 'part-1', 'part-2']);
  const page = await readFile(path.join(scratch.dir, 'out', 'both.html'), 'utf8');
  expect(page).toContain('Fronts: throughput_ips against latency_mean_ms');
});

test("anyone's table gets a page too", async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', 'colour,cost,gain\nred,1,1\ngreen,2,4\nblue,3,2\n');
  const args = ['report', 'table.csv', '--factors', 'colour', '--minimize', 'cost', '--maximize', 'gain'];
  const { exitCode, stdout } = await dse(args, { cwd: scratch.dir });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('wrote analysis/report.html');
  const page = await readFile(path.join(scratch.dir, 'analysis', 'report.html'), 'utf8');
  expect(page).toContain('2 of 3 configurations are worth having');
});

test('what is no result folder is refused with what to do', async () => {
  await using scratch = await scratchFolder();
  const { exitCode, stderr } = await dse(['report', scratch.dir]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('it has no manifest.json');
});
