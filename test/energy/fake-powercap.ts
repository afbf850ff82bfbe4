import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One zone of a fake tree. */
export interface FakeZone {
  /** Its folder, e.g. "intel-rapl:0:1". All zones lie flat under the root, as the kernel lists them. */
  readonly folder: string;
  /** What its `name` file says, e.g. "dram". */
  readonly name: string;
  readonly watts: number;
  /** Joules after which it wraps; undefined leaves out `max_energy_range_uj`, and it never wraps. */
  readonly rangeJ?: number;
  /** What the counter shows first. */
  readonly startJ?: number;
}

/** A powercap tree whose true wattage is known, and what can be made to go wrong in it. */
export interface FakePowercap extends AsyncDisposable {
  /** To be `powercapRoot` of the spec. */
  readonly root: string;
  readonly setWatts: (folder: string, watts: number) => Promise<void>;
  readonly vanish: (folder: string) => Promise<void>;
  readonly stick: (folder: string) => Promise<void>;
  readonly revive: (folder: string) => Promise<void>;
  readonly stepBack: (folder: string, joules: number) => Promise<void>;
}

/** Joules after which a zone of this wattage wraps every three seconds. */
export function wrapsEvery3S(watts: number): number {
  return watts * 3;
}

/**
 * Makes a powercap tree in `root` and starts a process that advances its counters in real time, by the monotonic clock.
 *
 * It ends when it is disposed of, and with this process at the latest.
 */
export async function createFakePowercap(root: string, zones: readonly FakeZone[]): Promise<FakePowercap> {
  for (const { folder, name, rangeJ } of zones) {
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, 'name'), `${name}\n`);
    if (rangeJ !== undefined) await writeFile(join(root, folder, 'max_energy_range_uj'), `${rangeJ * 1e6}\n`);
  }
  const counters = zones.map(({ folder, watts, rangeJ, startJ = 0 }) => ({
    zone: folder,
    file: join(root, folder, 'energy_uj'),
    watts,
    startUj: startJ * 1e6,
    ...(rangeJ !== undefined && { rangeUj: rangeJ * 1e6 }),
  }));
  return { root, ...(await feedCounters(counters)) };
}

/** A counter file and what drives it. */
export interface FedCounter {
  /** Name by which orders reach it. */
  readonly zone: string;
  readonly file: string;
  readonly watts: number;
  readonly startUj?: number;
  readonly rangeUj?: number;
}

/** Starts the process that feeds counter files; their folders have to be there. */
export async function feedCounters(zones: readonly FedCounter[]): Promise<Omit<FakePowercap, 'root'>> {
  const script = fileURLToPath(new URL('fake-powercap-feeder.mjs', import.meta.url));
  const feeder = fork(script, [JSON.stringify({ zones })], { execArgv: [] });
  await once(feeder, 'message');
  const order = async (name: string, zone: string, value?: number): Promise<void> => {
    const done = once(feeder, 'message');
    feeder.send({ order: name, zone, value });
    await done;
  };
  return {
    setWatts: (folder, watts) => order('setWatts', folder, watts),
    vanish: (folder) => order('vanish', folder),
    stick: (folder) => order('stick', folder),
    revive: (folder) => order('revive', folder),
    stepBack: (folder, joules) => order('stepBack', folder, joules),
    async [Symbol.asyncDispose]() {
      if (feeder.exitCode !== null) return;
      const exit = once(feeder, 'exit');
      feeder.disconnect();
      await exit;
    },
  };
}
