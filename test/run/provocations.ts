import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../../src/events.ts';
import { packageFile } from '../../src/package-files.ts';
import { type ReasonCode, readResults, type TrialRecord } from '../../src/store/index.ts';
import { createFakePowercap } from '../energy/fake-powercap.ts';
import { runOnKnownServer, specOf } from './known-run.ts';

/** A reason got on purpose: what was done, and the trial that should carry it. */
export interface Provoked {
  readonly code: ReasonCode;
  readonly how: string;
  readonly record: TrialRecord;
}

/** Every reason that real processes can be made to give, by what has to be run for it. */
export const PROVOCATIONS = {
  'on a server of known speed': provokeOnKnownServer,
  'on a server that slows down': provokeUnsteady,
  'on a server that breaks': provokeErrors,
  'on one CPU': provokeSharedCpu,
  'with replies that cost the reader more than the writer': provokeSaturation,
  'in a window of one request': provokeLittlesLaw,
  'beside neighbours': provokeNeighbours,
  'under a quota on dse itself': provokeThrottling,
} as const satisfies Readonly<Record<string, (folder: string) => Promise<readonly Provoked[]>>>;

/** Reasons that nobody can provoke from here, and why. */
export const NOT_PROVOKED = {
  'outcomes-unbalanced': 'a defect of dse by definition; test/run/verdict.test.ts hands its figures in',
} as const satisfies Partial<Record<ReasonCode, string>>;

/** Why a quota cannot be set here; undefined where it can. */
export function whyNoQuota(): string | undefined {
  if (process.getuid?.() !== 0) return 'making a cgroup takes root';
  try {
    makeQuotaGroup().remove();
    return undefined;
  } catch (error) {
    return `no cgroup with a CPU quota can be made here (${error instanceof Error ? error.message : error})`;
  }
}

const SHORT = { 'warmup: 500ms, window: 2s, windows: 2': 'warmup: 500ms, window: 1500ms, windows: 1' };

function shortSpecOf(loads: string, changes: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...SHORT, ...changes }).reduce((text, [from, to]) => text.replace(from, to), specOf(loads));
}

/** Overload, lateness, others' CPU use, too few requests and a meter that vanishes, one trial each on one launch. */
async function provokeOnKnownServer(folder: string): Promise<readonly Provoked[]> {
  await using powercap = await createFakePowercap(path.join(folder, 'powercap'), [
    { folder: 'intel-rapl:0', name: 'package-0', watts: 40, rangeJ: 262_144 },
  ]);
  const actions: Readonly<Record<string, () => Promise<void>>> = {
    late: async () => {
      await sleep(300);
      const generator = findProcess(
        (cmdline, parent) => parent === process.pid && cmdline.includes('load/generator/main'),
      );
      process.kill(generator, 'SIGSTOP');
      await sleep(300);
      process.kill(generator, 'SIGCONT');
    },
    busy: async () => {
      const spinner = spawn('nice', ['-n', '19', process.execPath, '-e', 'for(;;);'], { stdio: 'ignore' });
      await sleep(1200);
      spinner.kill('SIGKILL');
    },
    meterless: async () => {
      await sleep(300);
      await powercap.vanish('intel-rapl:0');
      // Beyond the end of the window: the counter is read once a second and at both ends, and one that is back by the next reading has lost nothing.
      await sleep(1500);
      await powercap.revive('intel-rapl:0');
    },
  };
  const doing: Promise<void>[] = [];
  const records = await runWhile(folder, {
    spec: shortSpecOf(
      '  overload: { rate: 80 }\n  late: { rate: 40, arrivals: constant }\n  busy: { rate: 41, arrivals: constant }\n  few: { rate: 5, arrivals: constant }\n  meterless: { rate: 42, arrivals: constant }',
      { 'source: none': `source: rapl, powercap_root: ${powercap.root}, idle: 500ms` },
    ),
    onMeasure: (load) => {
      const action = actions[load];
      if (action !== undefined) doing.push(action());
    },
  });
  await Promise.all(doing);
  const of = (load: string) => recordOf(records, load);
  return [
    { code: 'overloaded', how: '80 requests/s to a server that can do 50', record: of('overload') },
    { code: 'generator-late', how: 'the generator stopped for 300 ms (SIGSTOP)', record: of('late') },
    { code: 'host-busy', how: 'another process spinning, at the lowest priority', record: of('busy') },
    { code: 'too-few-samples', how: '5 requests/s for 1.5 s', record: of('few') },
    { code: 'energy-unknown', how: "the meter's counter gone when the window ends", record: of('meterless') },
  ];
}

async function provokeUnsteady(folder: string): Promise<readonly Provoked[]> {
  const spec = shortSpecOf('  one: { concurrency: 1 }\n  two: { concurrency: 2 }', {
    'warmup: 500ms': 'warmup: auto, max_warmup: 1500ms',
  });
  const { records } = await runOnKnownServer(folder, spec, { serviceMs: 2, behaviour: ['slows', '6'] });
  // The moment at which the service time begins anew falls into one of the two warm-ups at most.
  const unsteady = records.find(
    (record) => record.state === 'done' && record.reasons.some(({ code }) => code === 'unsteady'),
  );
  return [
    {
      code: 'unsteady',
      how: 'a service time that doubles every second, for six seconds at a time',
      record: unsteady ?? firstOf(records),
    },
  ];
}

async function provokeErrors(folder: string): Promise<readonly Provoked[]> {
  const spec = shortSpecOf('  one: { concurrency: 1 }\n  two: { concurrency: 2 }');
  const { records } = await runOnKnownServer(folder, spec, { serviceMs: 5, behaviour: ['answers-500', '700'] });
  const last = records.find((record) => record.state === 'done' && Number(record.responses.http_5xx_count) > 0);
  return [
    { code: 'errors', how: 'a server that answers 500 after its 700th request', record: last ?? firstOf(records) },
  ];
}

async function provokeSharedCpu(folder: string): Promise<readonly Provoked[]> {
  const records = await runCommandLine(folder, ['taskset', '-c', '0']);
  return [{ code: 'shared-cpu', how: 'dse run where it may use one CPU only (taskset)', record: firstOf(records) }];
}

async function provokeSaturation(folder: string): Promise<readonly Provoked[]> {
  const spec = shortSpecOf('  many: { concurrency: 16 }\n  more: { concurrency: 32 }');
  const { records } = await runOnKnownServer(folder, spec, { serviceMs: 0, behaviour: ['chatters', '20000'] });
  return [
    {
      code: 'generator-saturated',
      how: '32 clients, replies of 20,000 numbers that the server made once and the generator reads each time',
      record: recordOf(records, 'more'),
    },
  ];
}

async function provokeLittlesLaw(folder: string): Promise<readonly Provoked[]> {
  const spec = shortSpecOf('  one: { concurrency: 1 }\n  two: { concurrency: 2 }', {
    'window: 1500ms': 'window: 1s',
  });
  const { records } = await runOnKnownServer(folder, spec, { serviceMs: 700 });
  return [
    {
      code: 'littles-law',
      how: 'a window of 1 s for requests of 0.7 s: one or two of them end in it',
      record: recordOf(records, 'one'),
    },
  ];
}

/** One neighbour that is asked for twice what it can answer, and one that is killed within the second trial's window. */
async function provokeNeighbours(folder: string): Promise<readonly Provoked[]> {
  const neighbours = `[{ name: slow, model: mnist-cnn, load: { rate: 200, arrivals: constant } },
      { name: frail, model: mnist-cnn, load: { rate: 20, arrivals: constant } }]`;
  const spec = shortSpecOf('  calm: { rate: 10 }\n  deadly: { rate: 20 }', {
    'batch: 2 }': `batch: 2, colocated: ${neighbours} }`,
  });
  const doing: Promise<void>[] = [];
  const killFrail = async () => {
    await sleep(300);
    const isFrail = (cmdline: string) => cmdline.includes('known-server') && cmdline.includes('"neighbour-frail"');
    process.kill(findProcess(isFrail), 'SIGKILL');
  };
  const records = await runWhile(folder, {
    spec,
    onMeasure: (load) => {
      if (load === 'deadly') doing.push(killFrail());
    },
  });
  await Promise.all(doing);
  const [calm, deadly] = [recordOf(records, 'calm'), recordOf(records, 'deadly')];
  return [
    { code: 'neighbour-behind', how: 'a neighbour asked for 200 requests/s that can do 100', record: calm },
    {
      code: 'neighbour-generator-shared',
      how: 'their load generators on the CPU of the load generator of the server',
      record: calm,
    },
    { code: 'neighbour-died', how: 'a neighbour killed within the window (SIGKILL)', record: deadly },
  ];
}

/** dse in a cgroup that gets a quota when the first window begins. */
async function provokeThrottling(folder: string): Promise<readonly Provoked[]> {
  const group = makeQuotaGroup();
  try {
    const enter = ['sh', '-c', 'echo $$ > "$0" && exec "$@"', group.processes];
    const records = await runCommandLine(folder, enter, group.limit);
    return [
      { code: 'throttled', how: 'a CPU quota of a tenth on the cgroup that dse runs in', record: firstOf(records) },
    ];
  } finally {
    group.remove();
  }
}

/**
 * Runs dse as its users do, on its own server.
 *
 * @param wrapper - the command that becomes it
 * @param onMeasure - called whenever a window begins
 */
async function runCommandLine(
  folder: string,
  wrapper: readonly string[],
  onMeasure: () => void = () => {},
): Promise<readonly TrialRecord[]> {
  mkdirSync(folder, { recursive: true });
  const specFile = path.join(folder, 'spec.yaml');
  const out = path.join(folder, 'results');
  const loads = '  one: { rate: 40 }\n  two: { rate: 60 }';
  writeFileSync(specFile, shortSpecOf(loads, { 'calibration: 1s': 'calibration: 500ms' }));
  const dse = [process.execPath, packageFile('bin/dse.js'), 'run', specFile, '--out', out, '--reporter', 'jsonl'];
  const [command = '', ...args] = [...wrapper, ...dse];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('"phase":"measure"')) onMeasure();
  });
  await ended;
  return (await readResults(out)).records;
}

/** Runs a spec on the known server and tells when the window of a load begins. */
async function runWhile(
  folder: string,
  { spec, onMeasure }: { readonly spec: string; readonly onMeasure: (load: string) => void },
): Promise<readonly TrialRecord[]> {
  let load = '';
  const onEvent = (event: RunEvent) => {
    // A trial's label ends with its load level.
    if (event.type === 'trial-started') load = event.label.split(' ').at(-1) ?? '';
    if (event.type === 'trial-phase' && event.phase === 'measure') onMeasure(load);
  };
  return (await runOnKnownServer(folder, spec, { onEvent })).records;
}

function recordOf(records: readonly TrialRecord[], load: string): TrialRecord {
  return firstOf(records.filter(({ factors }) => factors.load === load));
}

function firstOf(records: readonly TrialRecord[]): TrialRecord {
  const [first] = records;
  if (first === undefined) throw new Error('the run recorded no such trial');
  return first;
}

/** The process whose command line and parent are as wanted. */
function findProcess(isIt: (cmdline: string, parent: number) => boolean): number {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = /^PPid:\s*(\d+)$/m.exec(readIfThere(`/proc/${name}/status`))?.[1];
    if (isIt(readIfThere(`/proc/${name}/cmdline`), Number(parent))) return Number(name);
  }
  throw new Error('no such process is running');
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** A cgroup that holds a CPU quota back until it is asked for; version 1 or 2. */
function makeQuotaGroup() {
  const name = `dse-test-quota-${process.pid}`;
  const v1 = '/sys/fs/cgroup/cpu';
  const isV1 = readIfThere(`${v1}/cpu.cfs_period_us`) !== '';
  const dir = path.join(isV1 ? v1 : '/sys/fs/cgroup', name);
  mkdirSync(dir);
  const limit = () =>
    isV1
      ? writeFileSync(path.join(dir, 'cpu.cfs_quota_us'), '10000')
      : writeFileSync(path.join(dir, 'cpu.max'), '10000 100000');
  const remove = () => rmdirSync(dir);
  if (!isV1 && readIfThere(path.join(dir, 'cpu.max')) === '') {
    remove();
    throw new Error('the cpu controller is not handed down');
  }
  return { processes: path.join(dir, 'cgroup.procs'), limit, remove };
}
