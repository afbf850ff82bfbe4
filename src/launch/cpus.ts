import { availableParallelism } from 'node:os';
import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import { explainPinning } from './pinning.ts';
import { readOwnCpuList } from './proc.ts';

/** Who runs where. Lists are in the kernel's format; undefined means not pinned. */
export interface CpuAssignment {
  readonly server: string | undefined;
  readonly generator: string | undefined;
  /** Whether server and generator may run on the same CPU, so that each disturbs the other's numbers. */
  readonly isShared: boolean;
}

/** CPU numbers this process may use, ascending. Where affinity cannot be read they are counted from 0. */
export function onlineCpus(): number[] {
  const list = readOwnCpuList();
  const cpus = list === undefined ? undefined : parseCpuList(list);
  return cpus ?? Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
}

/**
 * Which CPUs the server and the generator get.
 *
 * With one CPU both share it. With more, the last is the generator's (and the rest of the machine's) and all others are the server's. A list that was asked
 * for is kept as it is, and the other side gets what it leaves free; where it leaves nothing, they share.
 * @param online - CPUs that may be used, ascending, at least one
 * @param asked - lists in the kernel's format, already known to be valid
 * @param canPin - false where there is no pinning: then nothing is assigned but what was asked for, which `Launcher.check` refuses with the fix
 */
export function assignCpus(
  online: readonly number[],
  asked: { readonly server?: string; readonly generator?: string },
  canPin: boolean = explainPinning().isAvailable,
): CpuAssignment {
  if (!canPin) return { server: asked.server, generator: asked.generator, isShared: true };
  const askedServer = cpusOf(asked.server);
  const askedGenerator = cpusOf(asked.generator);
  const generator = askedGenerator ?? defaultGenerator(online, askedServer);
  const server = askedServer ?? orAll(without(online, generator), online);
  return {
    server: formatCpuList(server),
    generator: formatCpuList(generator),
    isShared: server.some((cpu) => generator.includes(cpu)),
  };
}

/** The last CPU the server leaves free; all that may be used where it leaves none. */
function defaultGenerator(online: readonly number[], askedServer: readonly number[] | undefined): readonly number[] {
  const free = without(online, askedServer ?? []);
  return free.length === 0 ? online : free.slice(-1);
}

function cpusOf(list: string | undefined): readonly number[] | undefined {
  if (list === undefined) return undefined;
  const cpus = parseCpuList(list);
  if (cpus === undefined) throw new RangeError(`"${list}" is not a CPU list`);
  return cpus;
}

const without = (cpus: readonly number[], taken: readonly number[]) => cpus.filter((cpu) => !taken.includes(cpu));
const orAll = (cpus: readonly number[], all: readonly number[]) => (cpus.length === 0 ? all : cpus);
