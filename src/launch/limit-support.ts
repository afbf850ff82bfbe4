import { findCgroupMounts } from './cgroup-mounts.ts';
import { cgroupV1Maker } from './cgroup-v1.ts';
import { cgroupV2Maker } from './cgroup-v2.ts';
import { explainCpuFrequency } from './cpu-frequency.ts';
import { findExecutable } from './find-executable.ts';
import type { GroupLimits, GroupMaker, GroupSupport } from './group.ts';
import { nextGroupName } from './group-name.ts';
import { explainPinning, NOT_LINUX } from './pinning.ts';
import { createRunLabel } from './run-label.ts';
import { systemdScopeMaker } from './systemd-scope.ts';

/** What limiting a native server comes to on this machine, limit by limit. */
export type LimitSupport =
  | { readonly limit: LimitName; readonly isAvailable: true; readonly mechanism: string }
  | { readonly limit: LimitName; readonly isAvailable: false; readonly why: string; readonly fix: string };

/** `usage` is exact accounting of CPU time: without it the steps of /proc (10 ms) have to do. */
export type LimitName = 'cpuset' | 'cpus' | 'memory' | 'usage' | 'frequency';

/**
 * The ways to make groups on this machine, in the order we like them; each is probed when first asked about, and once.
 */
export class GroupMakers {
  readonly #makers: readonly GroupMaker[];
  readonly #support = new Map<GroupMaker, Promise<GroupSupport>>();

  constructor(makers: readonly GroupMaker[] = listMakers()) {
    this.#makers = makers;
  }

  /** The first way that can hold all of the limits asked, and count usage; undefined where none can. */
  async choose(limits: GroupLimits): Promise<GroupMaker | undefined> {
    const hasLimits = limits.cpus !== undefined || limits.memoryBytes !== undefined;
    const needed = neededFor(limits);
    for (const maker of this.#makers) {
      if (!hasLimits && !maker.isImmediate) continue;
      const support = await this.#probe(maker);
      if (needed.every((name) => support[name].isAvailable)) return maker;
    }
    return undefined;
  }

  /** Whether a single limit can be held, and by which way; if by none, why each of them cannot, and the fix of the last, which asks for the least. */
  async explain(limit: keyof GroupSupport): Promise<LimitSupport> {
    const reasons: string[] = [];
    let { why, fix } = NOT_LINUX;
    for (const maker of this.#makers) {
      const ability = (await this.#probe(maker))[limit];
      if (ability.isAvailable) return { limit, isAvailable: true, mechanism: maker.mechanism };
      reasons.push(`${maker.mechanism}: ${ability.why}`);
      why = reasons.join('; ');
      fix = ability.fix;
    }
    return { limit, isAvailable: false, why, fix };
  }

  #probe(maker: GroupMaker): Promise<GroupSupport> {
    const known = this.#support.get(maker) ?? maker.probe(nextGroupName(createRunLabel()));
    this.#support.set(maker, known);
    return known;
  }
}

/** For `dse doctor`: what can be limited and counted for a native server here, how, and the fix for what cannot. */
export async function describeLimitSupport(): Promise<LimitSupport[]> {
  const makers = new GroupMakers();
  const pinning = explainPinning();
  return [
    pinning.isAvailable
      ? { limit: 'cpuset', isAvailable: true, mechanism: 'taskset' }
      : { limit: 'cpuset', ...pinning },
    await makers.explain('cpus'),
    await makers.explain('memory'),
    await makers.explain('usage'),
    { limit: 'frequency', ...explainCpuFrequency() },
  ];
}

function neededFor(limits: GroupLimits): (keyof GroupSupport)[] {
  const needed: (keyof GroupSupport)[] = ['usage'];
  if (limits.cpus !== undefined) needed.push('cpus');
  if (limits.memoryBytes !== undefined) needed.push('memory');
  return needed;
}

function listMakers(): GroupMaker[] {
  const mounts = findCgroupMounts();
  const v2 = mounts.find(({ version }) => version === 2);
  const v1 = mounts.filter(({ version }) => version === 1);
  // Where both are mounted (hybrid), the controllers belong to v1 and v2 only tracks processes.
  const isV1 = v1.some(({ controllers }) => controllers.includes('cpu') || controllers.includes('memory'));
  if (isV1) return [cgroupV1Maker(v1)];
  if (v2 === undefined) return [];
  return findExecutable('systemd-run') === undefined
    ? [cgroupV2Maker(v2)]
    : [cgroupV2Maker(v2), systemdScopeMaker(v2.root)];
}
