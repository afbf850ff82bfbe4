import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { busySOfNode, readBusyS } from '../../src/energy/cpu-time.ts';
import { describeEstimate, energyBetween, openMeter } from '../../src/energy/index.ts';
import { energySpec, temporaryFolder } from './energy-spec.ts';

/** CPU times in hundredths of a second: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice. */
async function writeStat(path: string, ticks: readonly number[]): Promise<void> {
  await writeFile(`${path}.next`, `cpu  ${ticks.join(' ')}\ncpu0 ${ticks.join(' ')}\nintr 5\n`);
  await rename(`${path}.next`, path);
}

describe('the estimate', () => {
  test('is idle power over time plus core power over busy CPU time; idle, iowait and steal are not busy', async () => {
    await using folder = await temporaryFolder();
    const procStat = join(folder.path, 'stat');
    await writeStat(procStat, [100, 10, 20, 900, 50, 1, 2, 70, 100, 0]);
    await using meter = await openMeter(energySpec({ source: 'estimate' }), { procStat });
    const before = await meter?.read();
    await writeStat(procStat, [300, 20, 60, 1900, 90, 3, 4, 570, 300, 0]);
    const after = await meter?.read();
    if (before === undefined || after === undefined) throw new Error('no reading');
    const { zonesJ, durationS } = energyBetween(before, after);
    expect(zonesJ.cpu).toBeCloseTo(5 * 2.54, 9);
    expect(zonesJ.idle).toBeCloseTo(10 * durationS, 9);
  });

  test('counts on from where CPU times fell, with a fault', async () => {
    await using folder = await temporaryFolder();
    const procStat = join(folder.path, 'stat');
    await writeStat(procStat, [1000, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    await using meter = await openMeter(energySpec({ source: 'estimate' }), { procStat });
    await writeStat(procStat, [500, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    await meter?.read();
    await writeStat(procStat, [600, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect((await meter?.read())?.zonesJ.cpu).toBe(5);
    expect(meter?.faults.map(({ reason }) => reason)).toEqual(['CPU time fell from 10 to 5 s']);
  });

  test.runIf(existsSync('/proc/stat'))('sees a second of work of this machine, by either source of CPU time', () => {
    const before = { proc: readBusyS('/proc/stat'), node: busySOfNode() };
    const endMs = Date.now() + 1000;
    while (Date.now() < endMs);
    const gainedS = { proc: readBusyS('/proc/stat') - before.proc, node: busySOfNode() - before.node };
    for (const seconds of [gainedS.proc, gainedS.node]) {
      expect(seconds).toBeGreaterThan(0.7);
      expect(seconds).toBeLessThan(cpus().length * 1.3);
    }
  });

  test('a file without CPU times is refused', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'stat'), 'intr 5\n');
    const procStat = join(folder.path, 'stat');
    await expect(openMeter(energySpec({ source: 'estimate' }), { procStat })).rejects.toThrow(
      `${procStat} has no line "cpu" with the times of all CPUs`,
    );
  });

  test('tells its formula with the parameters set, and what it is off by', () => {
    const { formula, source, offBy } = describeEstimate(energySpec());
    expect(formula).toBe('power = 10 W (machine idle) + 5 W x busy CPUs; energy = its sum over time');
    expect(source).toContain('ISCA 2007');
    expect(offBy.join('\n')).toMatch(/turbo[\s\S]*vector[\s\S]*memory[\s\S]*every process of the machine/);
  });
});
