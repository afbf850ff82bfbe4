import { describe, expect, test } from 'vitest';
import { divideZones, findRaplZones } from '../../src/energy/rapl-zones.ts';
import { temporaryFolder } from './energy-spec.ts';
import { writeTree } from './fake-trees.ts';

async function zonesOf(tree: Readonly<Record<string, string>>) {
  await using folder = await temporaryFolder();
  await writeTree(folder.path, tree);
  const { summed, overlapping } = divideZones(findRaplZones(folder.path));
  return { summed: summed.map(({ name }) => name), overlapping: overlapping.map(({ name }) => name) };
}

describe('the zones of a powercap tree', () => {
  test('that are nested and not listed flat are found, each once', async () => {
    const tree = { 'intel-rapl:0/name': 'package-0', 'intel-rapl:0/intel-rapl:0:0/name': 'dram' };
    const flatToo = { ...tree, 'intel-rapl:0:0/name': 'dram' };
    expect(await zonesOf(tree)).toEqual({ summed: ['package-0', 'dram-0'], overlapping: [] });
    expect(await zonesOf(flatToo)).toEqual({ summed: ['package-0', 'dram-0'], overlapping: [] });
  });

  test('of processors with several dies are told apart', async () => {
    const tree = {
      'intel-rapl:0/name': 'package-0-die-0',
      'intel-rapl:0:0/name': 'dram',
      'intel-rapl:1/name': 'package-0-die-1',
      'intel-rapl:1:0/name': 'dram',
    };
    const summed = ['package-0-die-0', 'package-0-die-1', 'dram-0-die-0', 'dram-0-die-1'];
    expect(await zonesOf(tree)).toEqual({ summed, overlapping: [] });
  });

  test('with nothing but a platform zone are summed by it', async () => {
    expect(await zonesOf({ 'intel-rapl:0/name': 'psys' })).toEqual({ summed: ['psys'], overlapping: [] });
  });

  test('leave out packages that MMIO counts again, and names that are not known', async () => {
    const tree = {
      'intel-rapl:0/name': 'package-0',
      'intel-rapl-mmio:0/name': 'package-0',
      'intel-rapl:7/name': 'mystery',
      'dtpm:0/name': 'package-9',
    };
    expect(await zonesOf(tree)).toEqual({ summed: ['package-0'], overlapping: [] });
  });

  test('have a range only where the file holds one', async () => {
    await using folder = await temporaryFolder();
    await writeTree(folder.path, {
      'intel-rapl:0/name': 'package-0',
      'intel-rapl:0/max_energy_range_uj': '262143328850',
      'intel-rapl:1/name': 'package-1',
      'intel-rapl:1/max_energy_range_uj': '0',
      'intel-rapl:2/name': 'package-2',
    });
    const ranges = findRaplZones(folder.path).map(({ rangeUj }) => rangeUj);
    expect(ranges).toEqual([262_143_328_850, undefined, undefined]);
  });
});
