import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';
import type { Path } from './positions.ts';
import type { HostFacts } from './types.ts';
import { quote } from './wording.ts';

interface CpuSet {
  readonly cpus: readonly number[];
  readonly path: Path;
}

/** CPUs and memory that are asked for exist, and server and generator do not share a CPU where the machine has more than one. */
export function checkCpus(input: CheckInput): Problem[] {
  const serverSets = serverCpuSets(input);
  const generator = cpuSetAt(input.spec.generator.cpuset, ['generator', 'cpuset']);
  const gateway = cpuSetAt(input.spec.server.gatewayCpuset, ['server', 'gateway_cpuset']);
  return [
    ...[...serverSets, ...gateway, ...generator].flatMap((set) => [
      ...checkExists(input, set),
      ...checkCanPin(input, set),
    ]),
    ...checkOneCpuset(input),
    ...checkKeptApart(input, serverSets, generator[0]),
    ...gateway.flatMap((set) => checkGatewayApart(input, set, generator[0])),
    ...checkQuota(input),
    ...checkMemory(input),
  ];
}

function cpuSetAt(list: string | undefined, path: Path): CpuSet[] {
  return list === undefined ? [] : [{ cpus: parseCpuList(list) ?? [], path }];
}

function serverCpuSets({ spec }: CheckInput): CpuSet[] {
  return [
    ...cpuSetAt(spec.server.cpuset, ['server', 'cpuset']),
    ...levelsOf(spec, 'cpuset').flatMap(({ level, path }) => cpuSetAt(String(level.value), path)),
  ];
}

function checkExists({ host, positions }: CheckInput, { cpus, path }: CpuSet): Problem[] {
  const missing = cpus.filter((cpu) => !host.onlineCpus.includes(cpu));
  if (missing.length === 0) return [];
  return [
    {
      where: positions.ofValue(path),
      what: `CPU set "${formatCpuList(cpus)}" names CPU ${formatCpuList(missing)}, which this machine does not have`,
      hint: `Use CPUs out of "${formatCpuList(host.onlineCpus)}".`,
    },
  ];
}

/** The `cpuset` factor is judged with the other factors; these are the two settings beside it. */
function checkCanPin({ spec, host, positions }: CheckInput, { path }: CpuSet): Problem[] {
  const isSetting = path[0] === 'server' || path[0] === 'generator';
  const runsNatively = path[0] === 'generator' || path[1] === 'gateway_cpuset' || spec.server.engine === 'native';
  if (!isSetting || !runsNatively || host.platform === 'linux') return [];
  return [
    {
      where: positions.ofValue(path),
      what: `"${path.join('.')}" cannot be applied: processes are pinned through Linux, and this is ${host.platform}`,
      hint: 'Remove it.',
    },
  ];
}

function checkOneCpuset({ spec, positions }: CheckInput): Problem[] {
  if (spec.server.cpuset === undefined || levelsOf(spec, 'cpuset').length === 0) return [];
  return [
    {
      where: positions.ofValue(['server', 'cpuset']),
      what: 'the CPU set of the server is given twice, by "server.cpuset" and by the factor "cpuset"',
      hint: 'Remove "server.cpuset".',
    },
  ];
}

function checkKeptApart(input: CheckInput, serverSets: readonly CpuSet[], generator: CpuSet | undefined): Problem[] {
  if (input.host.onlineCpus.length < 2) return [];
  return [
    ...serverSets.flatMap((server) => checkPair(input, server, generator)),
    ...(serverSets.length === 0 && generator !== undefined && isWholeMachine(input, generator)
      ? [leavesNone(input, generator, 'the server')]
      : []),
  ];
}

function checkPair(input: CheckInput, server: CpuSet, generator: CpuSet | undefined): Problem[] {
  if (isWholeMachine(input, server) && generator === undefined)
    return [leavesNone(input, server, 'the load generator')];
  const generatorCpus = generator?.cpus ?? generatorCpusBeside(input, server);
  const shared = server.cpus.filter((cpu) => generatorCpus.includes(cpu));
  if (shared.length === 0) return [];
  return [
    {
      where: input.positions.ofValue(server.path),
      what: `server and generator would share CPU ${formatCpuList(shared)}, and the load would disturb what it measures`,
      hint:
        generator === undefined
          ? 'Keep it out of this CPU set, or give the generator another with "generator.cpuset".'
          : 'Give them CPU sets without a CPU in common.',
    },
  ];
}

function checkGatewayApart(
  { spec, host, positions }: CheckInput,
  { cpus, path }: CpuSet,
  generator: CpuSet | undefined,
): Problem[] {
  if (host.onlineCpus.length < 2) return [];
  const taken = generator?.cpus ?? defaultGeneratorCpus(host, parseCpuList(spec.server.cpuset ?? '') ?? []);
  const shared = cpus.filter((cpu) => taken.includes(cpu));
  if (shared.length === 0) return [];
  return [
    {
      where: positions.ofValue(path),
      what: `gateway and generator would share CPU ${formatCpuList(shared)}, and latency would be that of a disturbed generator`,
      hint: 'Keep it out of this CPU set, or give the generator another with "generator.cpuset".',
    },
  ];
}

/** The generator stays on one CPU through a run, so it cannot step aside for each level of a `cpuset` factor: it gets the last. It does step aside for `server.cpuset`. */
function generatorCpusBeside({ host }: CheckInput, { path }: CpuSet): readonly number[] {
  return path[0] === 'server' ? [] : defaultGeneratorCpus(host, []);
}

/** The CPU that the generator gets where the spec names none: the last that the server's set leaves free. */
export function defaultGeneratorCpus({ onlineCpus }: HostFacts, server: readonly number[]): readonly number[] {
  return onlineCpus.filter((cpu) => !server.includes(cpu)).slice(-1);
}

function isWholeMachine({ host }: CheckInput, { cpus }: CpuSet): boolean {
  return host.onlineCpus.every((cpu) => cpus.includes(cpu));
}

function leavesNone({ positions }: CheckInput, { cpus, path }: CpuSet, other: string): Problem {
  return {
    where: positions.ofValue(path),
    what: `CPU set "${formatCpuList(cpus)}" leaves no CPU to ${other}`,
    hint: 'Leave at least one CPU of the machine out of it.',
  };
}

/** A quota above what the CPU set can give would be accepted by the kernel and limit nothing. */
function checkQuota(input: CheckInput): Problem[] {
  const { spec, positions } = input;
  const factorSets = levelsOf(spec, 'cpuset');
  return levelsOf(spec, 'cpus').flatMap(({ level, path }) => {
    const quota = Number(level.value);
    const where = positions.ofValue(path);
    if (factorSets.length === 0) {
      const available = cpusOfServer(input);
      if (quota <= available) return [];
      return [
        {
          where,
          what: `a quota of ${quota} CPUs is more than the ${available} ${available === 1 ? 'CPU' : 'CPUs'} the server can have`,
          hint:
            spec.server.cpuset === undefined
              ? 'Lower it; the rest of the machine is kept for the load generator.'
              : `Lower it, or widen "server.cpuset" ("${spec.server.cpuset}").`,
        },
      ];
    }
    return factorSets
      .filter(
        ({ level: set }) => quota > sizeOf(set.value) && !isExcluded(input, { cpus: level.name, cpuset: set.name }),
      )
      .map(({ level: set }) => ({
        where,
        what: `a quota of ${quota} CPUs is more than CPU set ${quote(set.name)} has (${sizeOf(set.value)})`,
        hint: `Exclude the combination: { when: { cpus: ${level.name}, cpuset: "${set.name}" }, why: "quota above CPU set" }.`,
      }));
  });
}

/** CPUs in a list. */
export function sizeOf(cpuset: unknown): number {
  return parseCpuList(String(cpuset))?.length ?? 0;
}

/** CPUs of the server where no factor says: its set, or what the generator leaves it. */
export function cpusOfServer({ spec, host }: CheckInput): number {
  const { cpuset } = spec.server;
  const generator = spec.generator.cpuset;
  if (cpuset !== undefined) return (parseCpuList(cpuset) ?? []).filter((cpu) => host.onlineCpus.includes(cpu)).length;
  const online = host.onlineCpus.length;
  return Math.max(1, online - (generator === undefined ? 1 : sizeOf(generator)));
}

/** Whether some rule takes every combination with these levels. */
export function isExcluded({ spec }: CheckInput, levels: Readonly<Record<string, string>>): boolean {
  return spec.exclude.some(({ when }) =>
    Object.entries(when).every(([factor, names]) => levels[factor] !== undefined && names.includes(levels[factor])),
  );
}

function checkMemory({ spec, host, positions }: CheckInput): Problem[] {
  return levelsOf(spec, 'memory')
    .filter(({ level }) => Number(level.value) > host.memoryBytes)
    .map(({ level, path }) => ({
      where: positions.ofValue(path),
      what: `a memory limit of ${level.name} is more than this machine has (${Math.floor(host.memoryBytes / 1e6)}MB)`,
      hint: 'Lower it, or leave "memory" out for no limit.',
    }));
}
