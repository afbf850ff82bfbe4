import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCounterFile } from './counter-file.ts';
import type { CounterZone } from './zone-counter.ts';

/** How a zone lies to the others. */
export type RaplRole = 'package' | 'dram' | 'inside a package' | 'around everything';

export interface RaplZone extends CounterZone {
  readonly role: RaplRole;
}

/**
 * Zones of the processor, e.g. "intel-rapl:0" and its "intel-rapl:0:1". Those of intel-rapl-mmio count a package again
 * and do not match.
 */
const ZONE_FOLDER = /^intel-rapl(:\d+)+$/;

/**
 * The energy zones under a powercap root, packages first; none where there is no such tree.
 *
 * The kernel lists nested zones flat in /sys/class/powercap and as folders in their parents; both are looked at, and
 * each zone is taken once. Zones inside a package carry names without a number ("dram"), so they get their package's:
 * "dram-0" is the memory of "package-0". Files that vanish while they are listed are taken as absent.
 */
export function findRaplZones(root: string): RaplZone[] {
  const paths = new Map<string, string>();
  for (const folder of zoneFolders(root)) {
    paths.set(folder, join(root, folder));
    for (const nested of zoneFolders(join(root, folder))) {
      if (!paths.has(nested)) paths.set(nested, join(root, folder, nested));
    }
  }
  const names = new Map([...paths].map(([folder, path]) => [folder, readText(join(path, 'name'))]));
  const zones = [...paths].flatMap(([folder, path]) => {
    const name = names.get(folder);
    const parentName = names.get(folder.slice(0, folder.lastIndexOf(':')));
    return name === undefined ? [] : [zoneAt(path, name, parentName)];
  });
  return zones.filter((zone) => zone !== undefined).sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

/** The zones that add up to the whole without counting anything twice, and the others. */
export function divideZones(zones: readonly RaplZone[]): { summed: RaplZone[]; overlapping: RaplZone[] } {
  const hasPackage = zones.some(({ role }) => role === 'package');
  const isSummed = ({ role }: RaplZone) =>
    hasPackage ? role === 'package' || role === 'dram' : role === 'around everything';
  return { summed: zones.filter(isSummed), overlapping: zones.filter((zone) => !isSummed(zone)) };
}

function zoneFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => ZONE_FOLDER.test(name))
    .sort();
}

function zoneAt(path: string, name: string, parentName: string | undefined): RaplZone | undefined {
  const role = roleOf(name);
  if (role === undefined) return undefined;
  const ownNumber = parentName?.startsWith('package') && role !== 'package' ? parentName.slice('package'.length) : '';
  const range = readText(join(path, 'max_energy_range_uj'));
  return {
    name: `${name}${ownNumber}`,
    role,
    rangeUj: range !== undefined && /^[1-9]\d*$/.test(range) ? Number(range) : undefined,
    readUj: () => readCounterFile(join(path, 'energy_uj')),
  };
}

function roleOf(name: string): RaplRole | undefined {
  if (/^package-\d+(-die-\d+)?$/.test(name)) return 'package';
  if (name === 'dram') return 'dram';
  if (name === 'core' || name === 'uncore') return 'inside a package';
  return name.startsWith('psys') ? 'around everything' : undefined;
}

const RANKS: readonly RaplRole[] = ['package', 'dram', 'inside a package', 'around everything'];

function rank({ role }: RaplZone): number {
  return RANKS.indexOf(role);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
