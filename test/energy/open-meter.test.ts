import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openMeter, probeMeters } from '../../src/energy/index.ts';
import { MeterError } from '../../src/errors.ts';
import { energySpec, temporaryFolder } from './energy-spec.ts';
import { createFakePowercap, feedCounters } from './fake-powercap.ts';
import { writeTree } from './fake-trees.ts';

const ONE_SOCKET = [{ folder: 'intel-rapl:0', name: 'package-0', watts: 50, rangeJ: 262_143 }];

async function sourceOf(changes: Parameters<typeof energySpec>[0]): Promise<string | undefined> {
  await using meter = await openMeter(energySpec(changes));
  return meter?.source;
}

describe('the meter a spec asks for', () => {
  test('is none for "none"', async () => {
    expect(await openMeter(energySpec({ source: 'none' }))).toBeUndefined();
  });

  test('is RAPL under "auto" where it can be read', async () => {
    await using folder = await temporaryFolder();
    await using tree = await createFakePowercap(folder.path, ONE_SOCKET);
    expect(await sourceOf({ powercapRoot: tree.root })).toBe('rapl');
  });

  test('is an energy counter of hwmon under "auto" where there is no RAPL', async () => {
    await using folder = await temporaryFolder();
    await writeTree(folder.path, { 'hwmon0/name': 'amd_energy', 'hwmon0/energy1_label': 'Esocket0' });
    const file = join(folder.path, 'hwmon0/energy1_input');
    await using _feeder = await feedCounters([{ zone: 'socket', file, watts: 50 }]);
    expect(await sourceOf({ hwmonRoot: folder.path })).toBe('hwmon');
  });

  test('is the estimate under "auto" where there is no counter; a power sensor has to be named', async () => {
    await using folder = await temporaryFolder();
    await writeTree(folder.path, { 'hwmon0/name': 'power_meter', 'hwmon0/power1_average': '85000000' });
    expect(await sourceOf({ hwmonRoot: folder.path })).toBe('estimate');
    expect(await sourceOf({ hwmonRoot: folder.path, source: 'hwmon' })).toBe('hwmon');
  });

  test.each([
    { source: 'rapl', message: '/nowhere/powercap  there is no energy counter of a processor' },
    { source: 'hwmon', message: '/nowhere/hwmon  there is no sensor of energy or power of this machine here' },
    { source: 'nvidia-smi', message: 'nvidia-smi cannot be used: there is no program "/nowhere/nvidia-smi" here' },
    { source: 'command', message: 'energy source "command" has no command' },
  ] as const)('$source is refused where it cannot be used, with what to do', async ({ source, message }) => {
    const opening = openMeter(energySpec({ source }), { nvidiaSmi: '/nowhere/nvidia-smi' });
    await expect(opening).rejects.toThrow(MeterError);
    await expect(opening).rejects.toThrow(message);
    await opening.catch(({ problems }: MeterError) => expect(problems[0]?.hint).not.toBe(''));
  });
});

describe('the probe of all sources', () => {
  test('says of each whether it works here, and what would open it', async () => {
    const probes = await probeMeters(energySpec(), { nvidiaSmi: '/nowhere/nvidia-smi' });
    const works = Object.fromEntries(probes.map(({ source, isAvailable }) => [source, isAvailable]));
    expect(works).toEqual({ rapl: false, hwmon: false, 'nvidia-smi': false, command: false, estimate: true });
    for (const probe of probes) {
      if (!probe.isAvailable) expect([probe.why, probe.fix]).not.toContain('');
    }
  });
});
