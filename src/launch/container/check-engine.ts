import { execa } from 'execa';
import type { Problem } from '../../errors.ts';
import type { GroupedLimit, Limits } from '../types.ts';
import { type ContainerEngine, type EngineHost, engineCommand, isInstalled } from './engine-cli.ts';
import { findHostProblem } from './engine-hosts.ts';

const INFO_TIMEOUT_MS = 20_000;

/** What an engine says about itself, as far as limits go. */
export interface EngineAbilities {
  readonly version: string;
  /** Kind and driver, e.g. "v1 (cgroupfs)". */
  readonly cgroup: string;
  readonly isRootless: boolean;
  readonly limits: Readonly<Record<GroupedLimit, boolean>>;
}

/** For `dse doctor`: whether an engine runs servers here, what it is, and what it cannot limit. */
export async function describeEngine(
  engine: ContainerEngine,
): Promise<{ readonly isAvailable: boolean; readonly what: string; readonly fix?: string }> {
  const abilities = await probeEngine({ engine });
  if ('what' in abilities) return { isAvailable: false, what: `${engine}: ${abilities.what}`, fix: abilities.hint };
  const { version, cgroup, isRootless } = abilities;
  const what = `${engine} ${version}: cgroup ${cgroup}, ${isRootless ? 'rootless' : 'as root'}`;
  const [first, ...rest] = findUnsupported(engine, abilities, [{ cpus: 1, cpuset: '0', memoryBytes: 1 }]);
  if (first === undefined) return { isAvailable: true, what };
  const cannot = [first, ...rest].map((problem) => problem.what.replace(/ cannot be applied.*/, ''));
  return { isAvailable: true, what: `${what}; it cannot apply ${cannot.join(', ')}`, fix: first.hint };
}

/** What the engine can limit, or the one problem that keeps it from running anything. */
export async function probeEngine(host: EngineHost): Promise<EngineAbilities | Problem> {
  const { engine } = host;
  if (process.platform !== 'linux') {
    return {
      what: `on ${process.platform} ${engine} runs its containers in a virtual machine, where dse cannot read limits back or count CPU time`,
      hint: 'Run dse inside a Linux machine, or use --engine native.',
    };
  }
  if (!isInstalled(engine)) {
    const install =
      engine === 'docker'
        ? 'Install Docker Engine (e.g. apt-get install docker.io)'
        : 'Install Podman (e.g. apt-get install podman)';
    return { what: `the program "${engine}" is not installed`, hint: `${install}, or use --engine native.` };
  }
  const problem = await findHostProblem(host);
  if (problem !== undefined) return problem;
  const [program = engine, ...global] = engineCommand(host);
  const { stdout, stderr } = await execa(program, [...global, 'info', '--format', '{{json .}}'], {
    reject: false,
    stdin: 'ignore',
    timeout: INFO_TIMEOUT_MS,
  });
  const info = parseJson(stdout ?? '');
  const abilities = engine === 'docker' ? readDockerInfo(info) : readPodmanInfo(info);
  if (abilities?.isRootless && abilities.cgroup.startsWith('v1')) return describeNoCgroup(engine);
  return abilities ?? describeSilence(engine, [...serverErrors(info), ...(stderr ?? '').trim().split('\n')]);
}

/** Limits of the list that this engine cannot set, each told once, with the fix. */
export function findUnsupported(
  engine: ContainerEngine,
  { isRootless, limits: can }: EngineAbilities,
  asked: readonly Limits[],
): Problem[] {
  const names: Readonly<Record<GroupedLimit, string>> = {
    cpus: 'a CPU quota',
    cpuset: 'a CPU set',
    memoryBytes: 'a memory limit',
  };
  return (Object.keys(names) as GroupedLimit[])
    .filter((limit) => !can[limit] && asked.some((one) => one[limit] !== undefined))
    .map((limit) => ({
      what: `${names[limit]} cannot be applied: ${isRootless ? `rootless ${engine}` : engine} has no control of the kernel's "${CONTROLLERS[limit]}" controller here`,
      hint: isRootless
        ? 'Let systemd hand it to users: put "[Service]\\nDelegate=cpu cpuset memory pids" into /etc/systemd/system/user@.service.d/dse.conf, run "systemctl daemon-reload" and log in again (needs cgroup v2); or run dse and the engine as root.'
        : 'Boot a kernel with this controller enabled, or leave the limit out of the spec.',
    }));
}

/** Source: podman-run(1), --cgroups and --cpus: "not supported on cgroups V1 rootless systems". */
function describeNoCgroup(engine: ContainerEngine): Problem {
  return {
    what: `rootless ${engine} makes no cgroup for a container on a machine with cgroup v1: nothing can be limited, read back or counted`,
    hint: 'Boot with cgroup v2 (kernel argument "systemd.unified_cgroup_hierarchy=1") and let systemd hand its controllers to users; or run dse and the engine as root, or use --engine native.',
  };
}

const CONTROLLERS: Readonly<Record<GroupedLimit, string>> = { cpus: 'cpu', cpuset: 'cpuset', memoryBytes: 'memory' };

interface DockerInfo {
  readonly ServerVersion?: string;
  readonly MemoryLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly CPUSet?: boolean;
  readonly SecurityOptions?: readonly string[];
  readonly CgroupVersion?: string;
  readonly CgroupDriver?: string;
}

/** Source: Docker Engine API, `GET /info`. Undefined where the daemon did not answer. */
function readDockerInfo(info: unknown): EngineAbilities | undefined {
  const { ServerVersion, MemoryLimit, CpuCfsQuota, CPUSet, ...rest } = (info ?? {}) as DockerInfo;
  if (ServerVersion === undefined || ServerVersion === '') return undefined;
  return {
    version: ServerVersion,
    cgroup: `v${rest.CgroupVersion ?? '?'} (${rest.CgroupDriver ?? '?'})`,
    isRootless: (rest.SecurityOptions ?? []).some((option) => option.startsWith('name=rootless')),
    limits: { cpus: CpuCfsQuota === true, cpuset: CPUSet === true, memoryBytes: MemoryLimit === true },
  };
}

interface PodmanInfo {
  readonly version?: { readonly Version?: string };
  readonly host?: {
    readonly cgroupVersion?: string;
    readonly cgroupManager?: string;
    readonly cgroupControllers?: readonly string[] | null;
    readonly security?: { readonly rootless?: boolean };
  };
}

/** Source: podman-info(1). Rootless, the controllers are those that were delegated to the user. */
function readPodmanInfo(info: unknown): EngineAbilities | undefined {
  const { host, version } = (info ?? {}) as PodmanInfo;
  if (host === undefined) return undefined;
  const has = (controller: string) => host.cgroupControllers?.includes(controller) ?? false;
  return {
    version: version?.Version ?? '?',
    cgroup: `${host.cgroupVersion ?? '?'} (${host.cgroupManager ?? '?'})`,
    isRootless: host.security?.rootless ?? false,
    limits: { cpus: has('cpu'), cpuset: has('cpuset'), memoryBytes: has('memory') },
  };
}

function serverErrors(info: unknown): readonly string[] {
  return (info as { ServerErrors?: readonly string[] } | undefined)?.ServerErrors ?? [];
}

function describeSilence(engine: ContainerEngine, output: readonly string[]): Problem {
  const said = output.filter(Boolean);
  const what = `${engine} is installed but does not work for this user: ${said[0] ?? 'it says nothing'}`;
  if (said.some((line) => /permission denied/i.test(line))) {
    return {
      what,
      hint: 'Run dse as root, or let this user use the daemon: "usermod -aG docker USER" and log in again.',
    };
  }
  if (engine === 'docker') return { what, hint: 'Start its daemon: "systemctl start docker", or "dockerd" as root.' };
  return { what, hint: 'Make "podman info" work for this user first.' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
