import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { checkCpuFrequency, explainCpuFrequency, restoreCpuFrequency } from '../../src/launch/cpu-frequency.ts';
import {
  createNativeLauncher,
  describeLeftover,
  findLeftovers,
  isRunAlive,
  removeLeftovers,
} from '../../src/launch/index.ts';
import { withCpuFrequency } from '../../src/launch/with-cpu-frequency.ts';
import { compiledEntry } from '../../src/package-files.ts';
import { fixtureRequest, temporaryDir } from './fixture.ts';
import { fixtureCommand } from './fixture-process.ts';

/** A kernel's tree of two CPUs that may run at 0.8 to 3 GHz, and are let. */
function cpuTree(more: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDir();
  for (const cpu of ['cpu0', 'cpu1']) {
    const dir = join(root, cpu, 'cpufreq');
    mkdirSync(dir, { recursive: true });
    const files = { cpuinfo_min_freq: '800000', cpuinfo_max_freq: '3000000', ...more };
    const limits = { scaling_min_freq: '800000', scaling_max_freq: '3000000' };
    for (const [name, text] of Object.entries({ ...files, ...limits })) writeFileSync(join(dir, name), `${text}\n`);
  }
  return root;
}

function limitsIn(root: string, cpu = 0): string[] {
  return ['min', 'max'].map((end) => readFileSync(join(root, `cpu${cpu}/cpufreq/scaling_${end}_freq`), 'utf8').trim());
}

const FREE = ['800000', '3000000'];
const makeLauncher = (root: string) => withCpuFrequency(createNativeLauncher({ command: fixtureCommand }), root);
const remainsOf = async (runLabel: string) =>
  (await findLeftovers((label) => label !== runLabel)).map(describeLeftover);

describe.skipIf(process.platform !== 'linux')('a CPU frequency', () => {
  test('is held while the server is there, told as applied, and put back when it goes', async () => {
    const root = cpuTree();
    const launcher = makeLauncher(root);
    const request = fixtureRequest('well', { limits: { cpuset: '0', cpuFrequencyKhz: 1_200_000 } });
    expect(await launcher.check([request.limits])).toEqual([]);
    const server = await launcher.start(request, new AbortController().signal);
    expect(server.applied).toEqual({ cpuset: '0', cpuFrequencyKhz: 1_200_000 });
    expect(server.mechanism).toContain('cpufreq');
    expect(limitsIn(root)).toEqual(['1200000', '1200000']);
    expect(limitsIn(root, 1)).toEqual(FREE);
    await server.readUsage();
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    expect(limitsIn(root)).toEqual(FREE);
    expect(await remainsOf(request.runLabel)).toEqual([]);
  });

  test('that something else moves during a measurement fails the next reading', async () => {
    const root = cpuTree();
    const request = fixtureRequest('well', { limits: { cpuset: '0', cpuFrequencyKhz: 1_200_000 } });
    await using server = await makeLauncher(root).start(request, new AbortController().signal);
    writeFileSync(join(root, 'cpu0/cpufreq/scaling_max_freq'), '2000000');
    await expect(server.readUsage()).rejects.toThrow(
      'asked for a CPU frequency of 1200 MHz, but the kernel reads back 2000 MHz',
    );
  });

  test('is put back where the server does not start', async () => {
    const root = cpuTree();
    const request = fixtureRequest('dies', { limits: { cpuset: '0', cpuFrequencyKhz: 1_200_000 } });
    await expect(makeLauncher(root).start(request, new AbortController().signal)).rejects.toThrow('exit code 7');
    expect(limitsIn(root)).toEqual(FREE);
    expect(await remainsOf(request.runLabel)).toEqual([]);
  });

  test('left by a run that was killed is put back by what cleans up, and by that alone', async () => {
    const root = cpuTree();
    const holder = fileURLToPath(new URL('fixture-frequency-holder.mjs', import.meta.url));
    const modules = [compiledEntry('launch/cpu-frequency'), compiledEntry('launch/run-label')];
    const dead = execa(process.execPath, [holder, ...modules, root, '900000'], { reject: false, buffer: false });
    const [line] = (await once(dead.stdout.setEncoding('utf8'), 'data')) as [string];
    const mine = ({ runLabel }: { runLabel: string }) => runLabel === line.trim();
    expect((await findLeftovers()).filter(mine)).toEqual([]);
    dead.kill('SIGKILL');
    await dead;
    expect([limitsIn(root), limitsIn(root, 1)].flat()).toEqual(Array(4).fill('900000'));
    const found = (await findLeftovers(isRunAlive)).filter(mine);
    expect(found).toEqual([expect.objectContaining({ kind: 'folder' })]);
    expect((await removeLeftovers(found)).problems).toEqual([]);
    expect([limitsIn(root), limitsIn(root, 1)]).toEqual([FREE, FREE]);
    expect(await remainsOf(line.trim())).toEqual([]);
  });

  test('is put back into files of cpufreq only, whatever a folder in the temporary one says', () => {
    const folder = temporaryDir();
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'mine');
    writeFileSync(join(folder, 'cpufreq.json'), JSON.stringify([{ file: victim, khz: 1 }]));
    restoreCpuFrequency(folder);
    expect(readFileSync(victim, 'utf8')).toBe('mine');
  });

  test('is refused where the kernel has no cpufreq, and outside of what the CPU can do', () => {
    const what = (khz: number, root: string) => checkCpuFrequency(khz, '0-1', root).map((problem) => problem.what);
    const none = temporaryDir();
    expect(what(1_200_000, none)).toEqual([
      `a CPU frequency of 1200 MHz cannot be applied: the kernel offers no cpufreq here (${none}/cpu0/cpufreq is missing)`,
    ]);
    expect(what(3_100_000, cpuTree())).toEqual([
      'a CPU frequency of 3100 MHz cannot be applied: the CPU runs at 800 to 3000 MHz',
    ]);
    const inSteps = cpuTree({ scaling_available_frequencies: '800000 1600000 3000000 ' });
    expect(what(1_600_000, inSteps)).toEqual([]);
    expect(checkCpuFrequency(1_200_000, '0', inSteps)).toEqual([
      {
        what: 'a CPU frequency of 1200 MHz cannot be applied: the CPU has no such step',
        hint: 'Choose one of 800MHz, 1600MHz, 3000MHz.',
      },
    ]);
    expect(explainCpuFrequency(none)).toMatchObject({ isAvailable: false, why: expect.stringContaining('no cpufreq') });
    expect(explainCpuFrequency(cpuTree())).toEqual({ isAvailable: true, mechanism: 'cpufreq' });
  });
});
