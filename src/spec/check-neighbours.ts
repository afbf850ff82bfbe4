import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import type { Problem } from '../errors.ts';
import { cpusOfServer, defaultGeneratorCpus, isExcluded, sizeOf } from './check-cpus.ts';
import { describeUnknownModel, levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';
import { neighboursOf } from './neighbours.ts';
import type { Path } from './positions.ts';
import type { Level, Neighbour } from './types.ts';
import { quote } from './wording.ts';

/** A neighbour and where it is written. */
interface Placed {
  readonly neighbour: Neighbour;
  readonly level: Level;
  readonly path: Path;
}

/** Neighbours can be started and told apart, keep off the load generator's CPUs, and are placed where their limits can hold. */
export function checkNeighbours(input: CheckInput): Problem[] {
  const levels = levelsOf(input.spec, 'colocated');
  const placed = levels.flatMap(({ level, path }) =>
    neighboursOf(level).map(
      (neighbour, at): Placed => ({
        neighbour,
        level,
        path: neighboursOf(level).length === 1 ? path : [...path, at],
      }),
    ),
  );
  return [
    ...levels.flatMap(({ level, path }) => checkNames(input, level, path)),
    ...placed.flatMap((one) => [
      ...checkModel(input, one),
      ...checkCpuset(input, one),
      ...checkQuota(input, one),
      ...checkMemory(input, one),
      ...checkPlatform(input, one),
      ...checkLimitsTogether(input, one),
    ]),
    ...checkPlacement(input, levels),
  ];
}

function checkNames({ positions }: CheckInput, level: Level, path: Path): Problem[] {
  const names = neighboursOf(level).map(({ name }) => name);
  return names
    .filter((name, at) => names.indexOf(name) < at)
    .map((name) => ({
      where: positions.ofValue(path),
      what: `two neighbours of one level are named ${quote(name)}`,
      hint: 'Give each a name of its own, so that the results can tell them apart.',
    }));
}

function checkModel({ host, positions }: CheckInput, { neighbour, path }: Placed): Problem[] {
  return describeUnknownModel(neighbour.model, host).map((problem) => ({
    where: positions.ofValue([...path, 'model']),
    ...problem,
  }));
}

function checkCpuset({ spec, host, positions }: CheckInput, { neighbour, path }: Placed): Problem[] {
  if (neighbour.cpuset === undefined) return [];
  const where = positions.ofValue([...path, 'cpuset']);
  const cpus = parseCpuList(neighbour.cpuset) ?? [];
  const missing = cpus.filter((cpu) => !host.onlineCpus.includes(cpu));
  if (missing.length > 0) {
    return [
      {
        where,
        what: `CPU set "${neighbour.cpuset}" of neighbour ${quote(neighbour.name)} names CPU ${formatCpuList(missing)}, which this machine does not have`,
        hint: `Use CPUs out of "${formatCpuList(host.onlineCpus)}".`,
      },
    ];
  }
  if (host.onlineCpus.length < 2) return [];
  const { cpuset } = spec.generator;
  const server = parseCpuList(spec.server.cpuset ?? '') ?? [];
  const generator = cpuset === undefined ? defaultGeneratorCpus(host, server) : (parseCpuList(cpuset) ?? []);
  const shared = cpus.filter((cpu) => generator.includes(cpu));
  if (shared.length === 0) return [];
  return [
    {
      where,
      what: `neighbour ${quote(neighbour.name)} and the load generator would share CPU ${formatCpuList(shared)}, and latency would be that of a disturbed generator`,
      hint: 'Keep it out of this CPU set, or give the generator another with "generator.cpuset".',
    },
  ];
}

function checkQuota(input: CheckInput, { neighbour, path }: Placed): Problem[] {
  const { name, cpus, cpuset } = neighbour;
  if (cpus === undefined || (cpuset === undefined && levelsOf(input.spec, 'cpuset').length > 0)) return [];
  const available = cpuset === undefined ? cpusOfServer(input) : sizeOf(cpuset);
  if (cpus <= available) return [];
  return [
    {
      where: input.positions.ofValue([...path, 'cpus']),
      what: `a quota of ${cpus} CPUs is more than the ${available} ${available === 1 ? 'CPU' : 'CPUs'} neighbour ${quote(name)} can have`,
      hint: 'Lower it; above that it would limit nothing.',
    },
  ];
}

function checkMemory({ host, positions }: CheckInput, { neighbour, path }: Placed): Problem[] {
  const { name, memoryBytes } = neighbour;
  if (memoryBytes === undefined || memoryBytes <= host.memoryBytes) return [];
  return [
    {
      where: positions.ofValue([...path, 'memory']),
      what: `the memory limit of neighbour ${quote(name)} is more than this machine has (${Math.floor(host.memoryBytes / 1e6)}MB)`,
      hint: 'Lower it, or leave "memory" out for no limit.',
    },
  ];
}

function checkPlatform({ spec, host, positions }: CheckInput, { neighbour, path }: Placed): Problem[] {
  if (spec.server.engine !== 'native' || host.platform === 'linux') return [];
  return limitsOf(neighbour).map((limit) => ({
    where: positions.ofKey([...path, limit]),
    what: `"${limit}" of neighbour ${quote(neighbour.name)} cannot be applied: engine native limits resources through Linux, and this is ${host.platform}`,
    hint: 'Remove it, or use an engine that can: docker, podman.',
  }));
}

/** Keys of the limits that a neighbour has of its own. */
function limitsOf({ cpus, cpuset, memoryBytes }: Neighbour): string[] {
  return [
    ...(cpus === undefined ? [] : ['cpus']),
    ...(cpuset === undefined ? [] : ['cpuset']),
    ...(memoryBytes === undefined ? [] : ['memory']),
  ];
}

function checkLimitsTogether(input: CheckInput, { neighbour, level, path }: Placed): Problem[] {
  const together = levelsOf(input.spec, 'placement').some(({ level: { value } }) => value === 'together');
  if (!together || isExcluded(input, { colocated: level.name, placement: 'together' })) return [];
  return limitsOf(neighbour).map((limit) => ({
    where: input.positions.ofKey([...path, limit]),
    what: `"${limit}" of neighbour ${quote(neighbour.name)} cannot be applied under placement "together": its model is then inside the server under test`,
    hint: `Remove it, or exclude the combination: { when: { colocated: ${level.name}, placement: together }, why: "limits of its own" }.`,
  }));
}

/** Alone, a server is the same under both placements; a point that is measured twice under two names would show an effect of nothing. */
function checkPlacement(
  input: CheckInput,
  colocated: readonly { readonly level: Level; readonly path: Path }[],
): Problem[] {
  const placements = levelsOf(input.spec, 'placement');
  const [first] = placements;
  if (first === undefined || input.isRefused('factors', 'colocated') || input.isRefused('fixed', 'colocated'))
    return [];
  const where = input.positions.ofKey(first.path.slice(0, 2));
  if (colocated.every(({ level }) => neighboursOf(level).length === 0)) {
    return [
      {
        where,
        what: 'factor "placement" has no effect without neighbours',
        hint: 'Add them under "colocated", e.g. { name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }, or remove the factor.',
      },
    ];
  }
  const alone = colocated.filter(({ level }) => neighboursOf(level).length === 0);
  return alone
    .filter(
      ({ level }) =>
        placements.filter(({ level: { name } }) => !isExcluded(input, { colocated: level.name, placement: name }))
          .length > 1,
    )
    .map(({ level }) => ({
      where,
      what: `colocated "${level.name}" is the same server under every placement, and would be measured once for each`,
      hint: `Exclude all but one: { when: { colocated: ${level.name}, placement: together }, why: "nothing to place" }.`,
    }));
}
