import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import type { CpuAssignment } from '../launch/index.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { levelsOf, neighbourLevels } from './spec-levels.ts';

/** Who runs where in a whole run, the load generators of neighbours included. */
export interface RunCpus extends CpuAssignment {
  readonly neighbourGenerators: string | undefined;
  /** Whether those run on a CPU of the load generator's. */
  readonly areGeneratorsShared: boolean;
}

/**
 * Adds the CPUs of the neighbours' load generators: those that neither a server nor a neighbour nor the load generator may run on; where there are none, those of the load
 * generator, which disturbs less than a server's CPU would.
 *
 * @param online - CPUs that may be used
 */
export function assignNeighbourGenerators(
  online: readonly number[],
  spec: ExperimentSpec,
  cpus: CpuAssignment,
): RunCpus {
  const { generator } = cpus;
  if (generator === undefined || neighbourLevels(spec).length === 0)
    return { ...cpus, neighbourGenerators: generator, areGeneratorsShared: true };
  const taken = new Set(cpuListsOf(spec, cpus).flatMap((list) => parseCpuList(list) ?? []));
  const free = online.filter((cpu) => !taken.has(cpu));
  return free.length === 0
    ? { ...cpus, neighbourGenerators: generator, areGeneratorsShared: true }
    : { ...cpus, neighbourGenerators: formatCpuList(free), areGeneratorsShared: false };
}

/** Whether neighbours are loaded from the load generator's own process: where it is pinned and they have no CPU but its own, two processes would only wait for each other. */
export function isGeneratorShared({ generator, areGeneratorsShared }: RunCpus): boolean {
  return areGeneratorsShared && generator !== undefined;
}

/** CPU sets of everything that is measured or measures; all CPUs that may be used where something is not pinned. */
export function measuredCpuLists(spec: ExperimentSpec, cpus: RunCpus, online: readonly number[]): string[] {
  // A server of which nothing is pinned here and that shares no CPU runs on another machine.
  if (cpus.server === undefined && cpus.generator !== undefined && !cpus.isShared) return [cpus.generator];
  if (cpus.server === undefined || cpus.generator === undefined) return [formatCpuList(online)];
  const generators = neighbourLevels(spec).length > 0 ? [cpus.neighbourGenerators ?? cpus.generator] : [];
  return [...cpuListsOf(spec, cpus), ...generators];
}

/** CPU sets of everything that may be measured or measure, but for the load generators of neighbours. */
function cpuListsOf(spec: ExperimentSpec, { server, generator }: CpuAssignment): string[] {
  const factor = levelsOf(spec, 'cpuset').map(({ value }) => value as string);
  const neighbours = neighbourLevels(spec).map(({ cpuset }) => cpuset);
  const { gatewayCpuset } = spec.server;
  return [...(factor.length > 0 ? factor : [server]), gatewayCpuset, generator, ...neighbours].filter(
    (list) => list !== undefined,
  );
}
