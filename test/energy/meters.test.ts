import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MeterOptions } from '../../src/energy/index.ts';
import { openMeter } from '../../src/energy/index.ts';
import type { EnergySpec } from '../../src/spec/types.ts';
import { energySpec, temporaryFolder } from './energy-spec.ts';
import { createFakePowercap, feedCounters, wrapsEvery3S } from './fake-powercap.ts';
import { writeProgram, writeTree } from './fake-trees.ts';
import { describeMeterContract, type MeterInWorld } from './meter-contract.ts';

interface World {
  readonly trueW: number;
  readonly breakIt: () => Promise<void>;
  readonly spec: Partial<EnergySpec>;
  readonly options?: MeterOptions;
  /** What is given up after the meter, in this order. */
  readonly parts: readonly AsyncDisposable[];
}

async function openIn({ trueW, breakIt, spec, options = {}, parts }: World): Promise<MeterInWorld> {
  const meter = await openMeter(energySpec(spec), options);
  if (meter === undefined) throw new Error('no meter');
  return {
    meter,
    trueW,
    breakIt,
    async [Symbol.asyncDispose]() {
      for (const part of [meter, ...parts]) await part[Symbol.asyncDispose]();
    },
  };
}

describeMeterContract('rapl', 'a package and its memory that wrap every 3 s', async () => {
  const folder = await temporaryFolder();
  const tree = await createFakePowercap(folder.path, [
    { folder: 'intel-rapl:0', name: 'package-0', watts: 120, rangeJ: wrapsEvery3S(120), startJ: 300 },
    { folder: 'intel-rapl:0:0', name: 'core', watts: 90, rangeJ: 262_143 },
    { folder: 'intel-rapl:0:1', name: 'dram', watts: 90, rangeJ: wrapsEvery3S(90) },
  ]);
  const breakIt = () => tree.vanish('intel-rapl:0');
  return openIn({ trueW: 210, breakIt, spec: { source: 'rapl', powercapRoot: tree.root }, parts: [tree, folder] });
});

describeMeterContract('hwmon', 'energy counters of two sockets', async () => {
  const folder = await temporaryFolder();
  await writeTree(folder.path, {
    'hwmon0/name': 'amd_energy',
    'hwmon0/energy1_label': 'Ecore000',
    'hwmon0/energy1_input': '77',
    'hwmon0/energy2_label': 'Esocket0',
    'hwmon0/energy3_label': 'Esocket1',
  });
  const file = (number: number) => join(folder.path, `hwmon0/energy${number}_input`);
  const feeder = await feedCounters([
    { zone: 'socket 0', file: file(2), watts: 60 },
    { zone: 'socket 1', file: file(3), watts: 40 },
  ]);
  const breakIt = () => feeder.vanish('socket 1');
  return openIn({ trueW: 100, breakIt, spec: { source: 'hwmon', hwmonRoot: folder.path }, parts: [feeder, folder] });
});

describeMeterContract('hwmon', 'an ACPI power meter', async () => {
  const folder = await temporaryFolder();
  await writeTree(folder.path, { 'hwmon2/name': 'power_meter', 'hwmon2/power1_average': '85000000' });
  const breakIt = () => rm(join(folder.path, 'hwmon2/power1_average'));
  return openIn({ trueW: 85, breakIt, spec: { source: 'hwmon', hwmonRoot: folder.path }, parts: [folder] });
});

describeMeterContract('nvidia-smi', 'two cards', async () => {
  const folder = await temporaryFolder();
  await writeTree(folder.path, { cards: '0, 150.25\n1, 49.75' });
  const cards = join(folder.path, 'cards');
  const script = `cat ${cards} || exit 9; [ "$3" = -lms ] || exit 0; while sleep 0.1; do cat ${cards} || exit 9; done`;
  const nvidiaSmi = await writeProgram(join(folder.path, 'nvidia-smi'), script);
  const breakIt = () => rm(cards);
  return openIn({ trueW: 200, breakIt, spec: { source: 'nvidia-smi' }, options: { nvidiaSmi }, parts: [folder] });
});

describeMeterContract('command', 'a plug asked by a shell command', async () => {
  const folder = await temporaryFolder();
  const plug = join(folder.path, 'plug');
  await writeFile(plug, '42.5 W\n');
  return openIn({
    trueW: 42.5,
    breakIt: () => rm(plug),
    spec: { source: 'command', command: `cat ${plug}` },
    parts: [folder],
  });
});

describeMeterContract('estimate', 'CPU time that stands still, so that only the idle power is left', async () => {
  const folder = await temporaryFolder();
  await writeTree(folder.path, {
    stat: 'cpu  7653 0 4071 233086 1173 0 88 927 0 0\ncpu0 2594 0 1709 118504 222 0 22 473 0 0',
  });
  const procStat = join(folder.path, 'stat');
  return openIn({
    trueW: 10,
    breakIt: () => rm(procStat),
    spec: { source: 'estimate' },
    options: { procStat },
    parts: [folder],
  });
});
