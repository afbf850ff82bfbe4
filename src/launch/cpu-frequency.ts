import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCpuList } from '../cpu-list.ts';
import { LaunchError, messageOf, type Problem } from '../errors.ts';
import { onlineCpus } from './cpus.ts';
import { nextGroupName } from './group-name.ts';
import { readIfThere } from './proc.ts';

const CPU_ROOT = '/sys/devices/system/cpu';
/** What was there before, in a folder that carries the run's label, so that `dse clean` can put it back after a kill -9. */
const SAVED_FILE = 'cpufreq.json';
const LIMIT_FILE = /\/cpufreq\/scaling_(min|max)_freq$/;

/** A file of the kernel's and what it held, kHz. */
interface SavedLimit {
  readonly file: string;
  readonly khz: number;
}

/** CPUs that are held at one clock. */
export interface HeldFrequency {
  /** @throws LaunchError where something else has moved the limits meanwhile */
  verify(): void;
  /** Puts back what was there; fine to call twice. */
  restore(): void;
}

/**
 * What keeps CPUs from being held at a clock, in kHz; empty where nothing does.
 *
 * @param root - a setting so that tests may point it at a tree with known values
 * Source: Linux kernel documentation, admin-guide/pm/cpufreq.rst.
 */
export function checkCpuFrequency(khz: number, cpuset: string | undefined, root: string = CPU_ROOT): Problem[] {
  const dirs = cpufreqDirs(cpuset, root);
  const missing = dirs.find((dir) => !existsSync(join(dir, 'scaling_max_freq')));
  if (missing !== undefined) {
    return [
      {
        what: `a CPU frequency of ${khz / 1e3} MHz cannot be applied: the kernel offers no cpufreq here (${missing} is missing)`,
        hint: 'Use a machine whose kernel sets the clock (virtual machines mostly do not), or leave "cpu_frequency" out.',
      },
    ];
  }
  return dirs.flatMap((dir) => checkRange(khz, dir)).slice(0, 1);
}

function checkRange(khz: number, dir: string): Problem[] {
  const [least, most] = [readKhz(join(dir, 'cpuinfo_min_freq')), readKhz(join(dir, 'cpuinfo_max_freq'))];
  const steps = (readIfThere(join(dir, 'scaling_available_frequencies')) ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);
  const what = `a CPU frequency of ${khz / 1e3} MHz cannot be applied`;
  if (least !== undefined && most !== undefined && (khz < least || khz > most)) {
    return [{ what: `${what}: the CPU runs at ${least / 1e3} to ${most / 1e3} MHz`, hint: 'Choose one in between.' }];
  }
  if (steps.length > 0 && !steps.includes(khz)) {
    const known = steps.map((step) => `${step / 1e3}MHz`).join(', ');
    return [{ what: `${what}: the CPU has no such step`, hint: `Choose one of ${known}.` }];
  }
  // A probe that changes nothing: the value that is there is written again.
  const file = join(dir, 'scaling_max_freq');
  try {
    writeFileSync(file, `${readKhz(file)}`);
    return [];
  } catch (error) {
    return [{ what: `${what}: ${file} cannot be written (${messageOf(error)})`, hint: 'Run dse as root.' }];
  }
}

/**
 * Holds CPUs at one clock: lowest and highest allowed clock are both set to it, and read back.
 *
 * @param cpuset - CPUs in the kernel's list format; all this process may use where absent
 * @throws LaunchError where the kernel takes something else, having put back what was there
 */
export function holdCpuFrequency(
  khz: number,
  cpuset: string | undefined,
  runLabel: string,
  root: string = CPU_ROOT,
): HeldFrequency {
  const dirs = cpufreqDirs(cpuset, root);
  const files = dirs.flatMap((dir) => [join(dir, 'scaling_min_freq'), join(dir, 'scaling_max_freq')]);
  const saved = files.map((file) => ({ file, khz: readKhz(file) ?? 0 }));
  const folder = join(tmpdir(), nextGroupName(runLabel));
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, SAVED_FILE), JSON.stringify(saved));
  let isHeld = true;
  const restore = () => {
    if (!isHeld) return;
    isHeld = false;
    writeLimits(saved);
    rmSync(folder, { recursive: true, force: true });
  };
  const verify = () => {
    const wrong = files.find((file) => readKhz(file) !== khz);
    if (wrong === undefined) return;
    throw new LaunchError({
      where: wrong,
      what: `asked for a CPU frequency of ${khz / 1e3} MHz, but the kernel reads back ${(readKhz(wrong) ?? Number.NaN) / 1e3} MHz`,
      hint: 'Something else sets the clock of this machine (a power daemon, another run): stop it.',
    });
  };
  try {
    writeLimits(files.map((file) => ({ file, khz })));
    verify();
  } catch (error) {
    restore();
    throw error;
  }
  return { verify, restore };
}

/**
 * Puts back the clock limits that a run which was killed left in its folder; nothing where the folder holds none.
 *
 * Only a folder of this user's own, and only files of cpufreq in it, are trusted: anybody may make folders beside it.
 */
export function restoreCpuFrequency(folder: string): void {
  const file = join(folder, SAVED_FILE);
  const text = readIfThere(file);
  if (text === undefined || statSync(folder).uid !== process.getuid?.() || statSync(file).uid !== process.getuid?.())
    return;
  const saved = JSON.parse(text) as readonly SavedLimit[];
  writeLimits(saved.filter((one) => LIMIT_FILE.test(one.file) && Number.isInteger(one.khz) && one.khz > 0));
}

/** Writes limits in an order in which the lowest clock never exceeds the highest, which the kernel would refuse. */
function writeLimits(limits: readonly SavedLimit[]): void {
  const isMax = ({ file }: SavedLimit) => file.endsWith('max_freq');
  const raises = limits.filter((limit) => isMax(limit) && limit.khz > (readKhz(limit.file) ?? 0));
  const rest = limits.filter((limit) => !raises.includes(limit)).sort((a, b) => Number(isMax(a)) - Number(isMax(b)));
  for (const { file, khz } of [...raises, ...rest]) writeFileSync(file, `${khz}`);
}

function cpufreqDirs(cpuset: string | undefined, root: string): string[] {
  const cpus = cpuset === undefined ? onlineCpus() : (parseCpuList(cpuset) ?? []);
  return cpus.map((cpu) => join(root, `cpu${cpu}`, 'cpufreq'));
}

function readKhz(file: string): number | undefined {
  const text = readIfThere(file)?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** For `dse doctor`: whether the clock can be set here. */
export function explainCpuFrequency(root: string = CPU_ROOT) {
  const [dir = ''] = cpufreqDirs(undefined, root);
  const most = readKhz(join(dir, 'cpuinfo_max_freq')) ?? readKhz(join(dir, 'scaling_max_freq')) ?? 0;
  const [problem] = checkCpuFrequency(most, undefined, root);
  if (problem === undefined) return { isAvailable: true, mechanism: 'cpufreq' } as const;
  return { isAvailable: false, why: problem.what.replace(/^.*cannot be applied: /, ''), fix: problem.hint } as const;
}
