import { totalmem } from 'node:os';
import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import type { Problem } from '../errors.ts';
import { onlineCpus } from './cpus.ts';
import { MIN_QUOTA_US, QUOTA_PERIOD_US } from './group.ts';
import type { GroupMakers } from './limit-support.ts';
import { explainPinning } from './pinning.ts';
import type { Limits } from './types.ts';

/** Every limit that cannot be applied to a native server on this machine, each told once. Nothing is asked of a machine for limits that are absent. */
export async function checkLimits(limits: readonly Limits[], makers: GroupMakers): Promise<Problem[]> {
  const problems = new Map<string, Problem>();
  for (const one of limits) {
    for (const problem of [...checkPinning(one), ...checkRanges(one), ...(await checkGroup(one, makers))]) {
      problems.set(problem.what, problem);
    }
  }
  return [...problems.values()];
}

function checkPinning({ cpuset }: Limits): Problem[] {
  if (cpuset === undefined) return [];
  const pinning = explainPinning();
  if (pinning.isAvailable) return [];
  return [{ what: `the CPU set "${cpuset}" cannot be applied: ${pinning.why}`, hint: sentence(pinning.fix) }];
}

/** Limits that this machine does not have room for, whatever would apply them. */
export function checkRanges(limits: Limits): Problem[] {
  return [...checkCpuset(limits), ...checkSizes(limits)];
}

function checkCpuset({ cpuset }: Limits): Problem[] {
  if (cpuset === undefined || process.platform !== 'linux') return [];
  const cpus = parseCpuList(cpuset);
  if (cpus === undefined) {
    return [{ what: `the CPU set "${cpuset}" is not a list of CPUs`, hint: 'Write it like "0-3,6".' }];
  }
  const online = onlineCpus();
  const missing = cpus.filter((cpu) => !online.includes(cpu));
  if (missing.length === 0) return [];
  const what = `the CPU set "${cpuset}" names CPU ${formatCpuList(missing)}, which dse may not use or this machine does not have`;
  return [{ what, hint: `Choose from ${formatCpuList(online)}.` }];
}

function checkSizes({ cpus, memoryBytes }: Limits): Problem[] {
  const problems: Problem[] = [];
  const online = onlineCpus().length;
  const least = MIN_QUOTA_US / QUOTA_PERIOD_US;
  if (cpus !== undefined && !(cpus >= least && cpus <= online)) {
    const what = `a quota of ${cpus} CPUs cannot be applied on ${online} ${online === 1 ? 'CPU' : 'CPUs'}`;
    problems.push({ what, hint: `Choose from ${least} to ${online}; above that it would limit nothing.` });
  }
  if (memoryBytes !== undefined && !(memoryBytes > 0 && memoryBytes <= totalmem())) {
    const what = `a memory limit of ${memoryBytes} bytes cannot be applied on a machine with ${totalmem()} bytes`;
    problems.push({ what, hint: 'Choose one below that; above it would limit nothing.' });
  }
  return problems;
}

async function checkGroup(limits: Limits, makers: GroupMakers): Promise<Problem[]> {
  const asked = [
    ...(limits.cpus === undefined ? [] : [{ limit: 'cpus', text: `a quota of ${limits.cpus} CPUs` } as const]),
    ...(limits.memoryBytes === undefined
      ? []
      : [{ limit: 'memory', text: `a memory limit of ${limits.memoryBytes} bytes` } as const]),
  ];
  if (asked.length === 0 || (await makers.choose(limits)) !== undefined) return [];
  const problems: Problem[] = [];
  for (const { limit, text } of asked) {
    const support = await makers.explain(limit);
    if (!support.isAvailable)
      problems.push({ what: `${text} cannot be applied: ${support.why}`, hint: sentence(support.fix) });
  }
  if (problems.length > 0) return problems;
  const what = `${asked.map(({ text }) => text).join(' and ')} cannot be applied together: no one mechanism of this machine holds all of them`;
  return [{ what, hint: 'Run dse as root, or leave one of the limits out.' }];
}

function sentence(fix: string): string {
  return `${fix.charAt(0).toUpperCase()}${fix.slice(1)}.`;
}
