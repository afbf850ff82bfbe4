import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type EnergyMeter, energyBetween, faultsBetween, openMeter, probeMeters } from '../../src/energy/index.ts';
import { onQuietMachine } from '../quiet-machine.ts';
import { energySpec, temporaryFolder } from './energy-spec.ts';
import { createFakePowercap, type FakePowercap, type FakeZone, wrapsEvery3S } from './fake-powercap.ts';
import { asOrdinaryUser, writeTree } from './fake-trees.ts';

/** Two sockets with a core zone and memory each, a platform zone around them, and the first socket again through MMIO. */
const TWO_SOCKETS: readonly FakeZone[] = [
  { folder: 'intel-rapl:0', name: 'package-0', watts: 100, rangeJ: wrapsEvery3S(100), startJ: 150 },
  { folder: 'intel-rapl:0:0', name: 'core', watts: 80, rangeJ: 262_143 },
  { folder: 'intel-rapl:0:1', name: 'dram', watts: 75, rangeJ: wrapsEvery3S(75) },
  { folder: 'intel-rapl:1', name: 'package-1', watts: 110, rangeJ: wrapsEvery3S(110) },
  { folder: 'intel-rapl:1:0', name: 'dram', watts: 7.5, rangeJ: 65_712 },
  { folder: 'intel-rapl:2', name: 'psys', watts: 330, rangeJ: 262_143 },
  { folder: 'intel-rapl-mmio:0', name: 'package-0', watts: 100, rangeJ: 262_143 },
];
const ONE_SOCKET: readonly FakeZone[] = [{ folder: 'intel-rapl:0', name: 'package-0', watts: 50, rangeJ: 262_143 }];

async function openRapl(powercapRoot: string): Promise<EnergyMeter> {
  const meter = await openMeter(energySpec({ source: 'rapl', powercapRoot }));
  if (meter === undefined) throw new Error('no meter');
  return meter;
}

describe('RAPL on a tree whose true wattage is known', () => {
  test('two sockets that wrap every three seconds give the true joules within 1 %, nothing counted twice', async (context) => {
    // The feeder of the tree has to be punctual for its wattage to be the one it names.
    await onQuietMachine(context, async () => {
      await using folder = await temporaryFolder();
      await using tree = await createFakePowercap(folder.path, TWO_SOCKETS);
      await using meter = await openRapl(tree.root);
      const before = await meter.read();
      await sleep(4500);
      const after = await meter.read();
      const { zonesJ, overlappingJ, powerW } = energyBetween(before, after);
      expect(faultsBetween(meter, before.atNs, after.atNs)).toEqual([]);
      expect(Object.keys(zonesJ)).toEqual(['package-0', 'package-1', 'dram-0', 'dram-1']);
      expect(Object.keys(overlappingJ)).toEqual(['core-0', 'psys']);
      expect(powerW).toBeGreaterThan(292.5 * 0.99);
      expect(powerW).toBeLessThan(292.5 * 1.01);
    });
  });

  test.each<{ what: string; zones: readonly FakeZone[]; harm: (tree: FakePowercap) => Promise<void>; reason: RegExp }>([
    {
      what: 'goes backwards where its range is not known',
      zones: [{ folder: 'intel-rapl:0', name: 'package-0', watts: 50, startJ: 500 }],
      harm: (tree) => tree.stepBack('intel-rapl:0', 400),
      reason: /^package-0 fell from \d+ to \d+ uJ, and its range is not known$/,
    },
    {
      what: 'goes backwards where its range is known',
      zones: [{ folder: 'intel-rapl:0', name: 'package-0', watts: 50, rangeJ: 262_143, startJ: 500 }],
      harm: (tree) => tree.stepBack('intel-rapl:0', 400),
      reason: /^package-0 went backwards from \d+ to \d+ uJ in .* s; as a wrap that would be more than 1000 W$/,
    },
    {
      what: 'vanishes',
      zones: ONE_SOCKET,
      harm: (tree) => tree.vanish('intel-rapl:0'),
      reason: /^package-0 cannot be read: ENOENT/,
    },
    {
      what: 'stands still',
      zones: ONE_SOCKET,
      harm: (tree) => tree.stick('intel-rapl:0'),
      reason: /^package-0 stands still at \d+ uJ$/,
    },
  ])('a counter that $what spoils the window and says so', async ({ zones, harm, reason }) => {
    await using folder = await temporaryFolder();
    await using tree = await createFakePowercap(folder.path, zones);
    await using meter = await openRapl(tree.root);
    const before = await meter.read();
    await harm(tree);
    await sleep(700);
    const after = await meter.read();
    const faults = faultsBetween(meter, before.atNs, after.atNs);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.reason).toMatch(reason);
  });

  test('an event loop that was blocked for longer than a wrap spoils the window', async () => {
    await using folder = await temporaryFolder();
    await using tree = await createFakePowercap(folder.path, [
      { folder: 'intel-rapl:0', name: 'package-0', watts: 100, rangeJ: 300 },
    ]);
    await using meter = await openRapl(tree.root);
    const before = await meter.read();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
    const after = await meter.read();
    expect(faultsBetween(meter, before.atNs, after.atNs)[0]?.reason).toMatch(
      /^package-0 was not read for \d\.\d+ s, in which its 300 J may have wrapped more than once$/,
    );
  });

  test('two meters on one tree do not disturb each other', async () => {
    await using folder = await temporaryFolder();
    await using tree = await createFakePowercap(folder.path, ONE_SOCKET);
    await using first = await openRapl(tree.root);
    await using second = await openRapl(tree.root);
    const before = [await first.read(), await second.read()] as const;
    await sleep(1000);
    const after = [await first.read(), await second.read()] as const;
    for (const reader of [0, 1] as const) {
      const { powerW } = energyBetween(before[reader], after[reader]);
      expect(powerW / 50).toBeGreaterThan(0.97);
      expect(powerW / 50).toBeLessThan(1.03);
    }
    expect([...first.faults, ...second.faults]).toEqual([]);
  });
});

describe('what RAPL is opened on', () => {
  test('the description names what is summed and what is not', async () => {
    await using folder = await temporaryFolder();
    await using tree = await createFakePowercap(folder.path, TWO_SOCKETS);
    await using meter = await openRapl(tree.root);
    expect(meter.description).toBe(
      `package-0 + package-1 + dram-0 + dram-1 through ${tree.root}; core-0 (inside a package) is shown but not added; psys (around everything) is shown but not added`,
    );
  });

  test('memory that stands still from the start is left out, and the description says so', async () => {
    await using folder = await temporaryFolder();
    await using tree = await createFakePowercap(folder.path, [
      ...ONE_SOCKET,
      { folder: 'intel-rapl:0:0', name: 'dram', watts: 0, rangeJ: 65_712 },
    ]);
    await using meter = await openRapl(tree.root);
    expect(meter.description).toBe(`package-0 through ${tree.root}; dram-0 stands still and is left out`);
  });

  test('a package that stands still from the start is refused', async () => {
    await using folder = await temporaryFolder();
    await writeTree(folder.path, { 'intel-rapl:0/name': 'package-0', 'intel-rapl:0/energy_uj': '0' });
    await expect(openRapl(folder.path)).rejects.toThrow(
      'the counter of package-0 stands still at 0 uJ, so it measures nothing',
    );
  });

  test('counters that only root may read are refused with the commands that open them', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    await writeTree(folder.path, { 'intel-rapl:0/name': 'package-0', 'intel-rapl:0/energy_uj': '5' });
    await chmod(join(folder.path, 'intel-rapl:0/energy_uj'), process.getuid?.() === 0 ? 0o400 : 0);
    const probes = await asOrdinaryUser(() => probeMeters(energySpec({ powercapRoot: folder.path })));
    expect(probes.find(({ source }) => source === 'rapl')).toEqual({
      source: 'rapl',
      isAvailable: false,
      why: `${folder.path}: the energy counters may be read by root only (EACCES), as Linux ships them since CVE-2020-8694`,
      fix: [
        `Until the next boot: sudo chmod a+r ${folder.path}/intel-rapl:*/energy_uj`,
        `For good: echo 'z ${folder.path}/intel-rapl:*/energy_uj 0444 root root -' | sudo tee /etc/tmpfiles.d/rapl.conf, and sudo systemd-tmpfiles --create rapl.conf`,
        'Or run dse as root. On a machine shared with people you do not trust, leave it closed: the counters leak what others compute.',
      ].join('\n'),
    });
  });

  test('a folder without a processor is refused', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'dtpm'));
    await expect(openRapl(folder.path)).rejects.toThrow(
      'there is no energy counter of a processor (intel-rapl:* with a package or psys zone) here',
    );
  });
});
