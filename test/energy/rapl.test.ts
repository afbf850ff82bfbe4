import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { energyBetween, faultsBetween, openMeter } from '../../src/energy/index.ts';
import { energySpec, temporaryFolder } from './energy-spec.ts';
import { createFakePowercap, type FakeZone, wrapsEvery3S } from './fake-powercap.ts';

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

describe('RAPL on a tree whose true wattage is known', () => {
  test('two sockets that wrap every three seconds give the true joules within 1 %, nothing counted twice', async () => {
    await using folder = await temporaryFolder();
    await using tree = await createFakePowercap(folder.path, TWO_SOCKETS);
    await using meter = await openMeter(energySpec({ source: 'rapl', powercapRoot: tree.root }));
    const before = await meter?.read();
    await sleep(4500);
    const after = await meter?.read();
    if (meter === undefined || before === undefined || after === undefined) throw new Error('no meter');
    const use = energyBetween(before, after);
    expect(meter.faults).toEqual([]);
    expect(faultsBetween(meter, before.atNs, after.atNs)).toEqual([]);
    expect(Object.keys(use.zonesJ)).toEqual(['package-0', 'package-1', 'dram-0', 'dram-1']);
    expect(use.totalJ / (292.5 * use.durationS)).toBeCloseTo(1, 2);
    expect(use.powerW).toBeGreaterThan(292.5 * 0.99);
    expect(use.powerW).toBeLessThan(292.5 * 1.01);
  });
});
