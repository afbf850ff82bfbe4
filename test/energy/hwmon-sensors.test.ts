import { describe, expect, test } from 'vitest';
import { findHwmonSensors, pickSensors, zoneNamesOf } from '../../src/energy/hwmon-sensors.ts';
import { openMeter } from '../../src/energy/index.ts';
import { energySpec, temporaryFolder } from './energy-spec.ts';
import { writeTree } from './fake-trees.ts';

async function picked(kind: 'energy' | 'power', tree: Readonly<Record<string, string>>): Promise<string[]> {
  await using folder = await temporaryFolder();
  await writeTree(folder.path, tree);
  return zoneNamesOf(pickSensors(findHwmonSensors(folder.path, kind)));
}

describe('the hwmon sensors that are taken', () => {
  test('are the sockets, not the cores inside of them', async () => {
    const tree = {
      'hwmon0/name': 'amd_energy',
      'hwmon0/energy1_label': 'Ecore000',
      'hwmon0/energy1_input': '1',
      'hwmon0/energy2_label': 'Esocket0',
      'hwmon0/energy2_input': '1',
    };
    expect(await picked('energy', tree)).toEqual(['amd_energy-Esocket0']);
  });

  test('are the whole machine where that is measured, and then nothing else', async () => {
    const tree = {
      'hwmon0/name': 'ibmpowernv',
      'hwmon0/power1_label': 'System',
      'hwmon0/power1_input': '1',
      'hwmon0/power2_label': 'Processor 0',
      'hwmon0/power2_input': '1',
    };
    expect(await picked('power', tree)).toEqual(['ibmpowernv-System']);
  });

  test('are a chip for each socket, told apart by their folders', async () => {
    const tree = {
      'hwmon1/name': 'fam15h_power',
      'hwmon1/power1_input': '1',
      'hwmon4/name': 'fam15h_power',
      'hwmon4/power1_input': '1',
    };
    expect(await picked('power', tree)).toEqual(['fam15h_power-power1@hwmon1', 'fam15h_power-power1@hwmon4']);
  });

  test('are the average of a chip that has both', async () => {
    await using folder = await temporaryFolder();
    await writeTree(folder.path, {
      'hwmon0/name': 'power_meter',
      'hwmon0/power1_average': '1',
      'hwmon0/power1_input': '1',
    });
    const paths = findHwmonSensors(folder.path, 'power').map(({ path }) => path);
    expect(paths).toEqual([`${folder.path}/hwmon0/power1_average`]);
  });

  test('are none of a graphics card, and none of rails of which nobody knows what they add up to', async () => {
    expect(await picked('energy', { 'hwmon0/name': 'i915', 'hwmon0/energy1_input': '1' })).toEqual([]);
    const rails = {
      'hwmon0/name': 'ina226',
      'hwmon0/power1_input': '1',
      'hwmon1/name': 'ina226',
      'hwmon1/power1_input': '1',
    };
    expect(await picked('power', rails)).toEqual([]);
  });

  test('where they are not known, hwmon is refused with the list and a way on', async () => {
    await using folder = await temporaryFolder();
    await writeTree(folder.path, {
      'hwmon0/name': 'ina226',
      'hwmon0/power1_input': '1',
      'hwmon0/power2_input': '1',
      'hwmon0/power2_label': 'VDD_CPU',
    });
    await expect(openMeter(energySpec({ source: 'hwmon', hwmonRoot: folder.path }))).rejects.toThrow(
      [
        `${folder.path}  it is not known which of these sensors add up to the machine: ${folder.path}/hwmon0/power1_input (ina226), ${folder.path}/hwmon0/power2_input (ina226, "VDD_CPU")`,
        `  If one of them measures all that you want, name it: energy: { source: command, command: "awk '{print $1/1e6}' FILE" } with FILE one of the power files.`,
      ].join('\n'),
    );
  });
});
