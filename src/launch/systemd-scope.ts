import { basename, dirname } from 'node:path';
import { execa } from 'execa';
import { openCgroupV2 } from './cgroup-files.ts';
import { findCgroupV2Dir } from './cgroup-mounts.ts';
import {
  type Ability,
  type GroupFiles,
  type GroupLimits,
  type GroupMaker,
  type GroupSupport,
  quotaUs,
} from './group.ts';

const PROBE_TIMEOUT_MS = 5_000;
/** Prints which controllers the scope's own cgroup has. */
const PROBE_SCRIPT = 'cat "$1$(sed -n "s/^0:://p" /proc/self/cgroup)/cgroup.controllers"';

const DELEGATE_FIX =
  'let systemd hand CPU and memory limits to users: put "[Service]\\nDelegate=cpu memory pids" into ' +
  '/etc/systemd/system/user@.service.d/dse.conf, run "systemctl daemon-reload" and log in again; or run dse as root';

/**
 * Groups as transient systemd scopes over cgroup v2: of the user's own systemd, or of the system's for root.
 *
 * systemd removes a scope by itself when its last process ends.
 */
export function systemdScopeMaker(cgroupRoot: string, isRoot: boolean = process.getuid?.() === 0): GroupMaker {
  const mechanism = isRoot ? 'systemd scope' : 'systemd user scope';
  const scopeCommand = (name: string, limits: GroupLimits, command: readonly string[]) => [
    'systemd-run',
    ...(isRoot ? [] : ['--user']),
    ...['--scope', '--quiet', '--collect', `--unit=${name}.scope`, ...propertiesOf(limits)],
    '--',
    ...command,
  ];
  return {
    mechanism,
    isImmediate: false,
    async probe(name) {
      const [file = '', ...args] = scopeCommand(name, { cpus: 0.5, memoryBytes: 2 ** 26 }, [
        ...['sh', '-c', PROBE_SCRIPT, 'dse-probe', cgroupRoot],
      ]);
      const { stdout, stderr, failed, shortMessage } = await execa(file, args, {
        reject: false,
        timeout: PROBE_TIMEOUT_MS,
        stdin: 'ignore',
      });
      if (!failed) return supportOf(stdout.trim().split(' '));
      const why = `systemd-run failed: ${stderr?.trim().split('\n')[0] || (shortMessage ?? '')}`;
      const fix = 'run dse as root, or in a login session where "systemd-run --user --scope true" works';
      return { cpus: no(why, fix), memory: no(why, fix), usage: no(why, fix) };
    },
    async make(name, limits) {
      let files: GroupFiles | undefined;
      return {
        wrap: (command) => scopeCommand(name, limits, command),
        open(pid) {
          files ??= openScope(pid, `${name}.scope`);
          return files;
        },
        remove: async () => {},
      };
    },
  };
}

/** Source: systemd.resource-control(5). The quota is a percentage of one CPU. */
function propertiesOf(limits: GroupLimits): string[] {
  const properties = ['CPUAccounting=yes', 'MemoryAccounting=yes'];
  if (limits.cpus !== undefined) properties.push(`CPUQuota=${quotaUs(limits.cpus) / 1_000}%`);
  if (limits.memoryBytes !== undefined) properties.push(`MemoryMax=${limits.memoryBytes}`, 'MemorySwapMax=0');
  return properties.flatMap((property) => ['-p', property]);
}

/** The scope's counters, once the process is really in it: before that its cgroup would be somebody else's. */
function openScope(pid: number, unit: string): GroupFiles | undefined {
  const dir = findCgroupV2Dir(pid);
  if (dir === undefined || basename(dir) !== unit) return undefined;
  // The scope is gone with its last process, and its own count with it; events are counted in the parent as well.
  const parent = openCgroupV2(dirname(dir));
  const killsBefore = parent.readOomKills() ?? 0;
  return {
    ...openCgroupV2(dir),
    readOomKills: () => (parent.readOomKills() ?? 0) - killsBefore,
  };
}

function supportOf(controllers: readonly string[]): GroupSupport {
  const of = (controller: string): Ability =>
    controllers.includes(controller)
      ? { isAvailable: true }
      : no(`systemd does not hand the "${controller}" controller to this user`, DELEGATE_FIX);
  return { cpus: of('cpu'), memory: of('memory'), usage: { isAvailable: true } };
}

function no(why: string, fix: string): Ability {
  return { isAvailable: false, why, fix };
}
