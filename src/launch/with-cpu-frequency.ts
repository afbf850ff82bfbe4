import { LaunchError } from '../errors.ts';
import { checkCpuFrequency, holdCpuFrequency } from './cpu-frequency.ts';
import type { Launcher, LaunchRequest, Limits, RunningServer } from './types.ts';

/**
 * A launcher that also holds the CPUs of a server at one clock while the server is there, whatever its engine is.
 *
 * The clock is set before the server starts, checked whenever its usage is read, and put back when it is disposed. Servers at once on the same CPUs must ask for the same clock.
 * @param root - of the kernel's CPU tree; a setting so that tests may point it elsewhere
 */
export function withCpuFrequency(launcher: Launcher, root?: string): Launcher {
  return {
    ...launcher,
    async check(limits) {
      const found = limits.flatMap(({ cpuFrequencyKhz, cpuset }) =>
        cpuFrequencyKhz === undefined ? [] : checkCpuFrequency(cpuFrequencyKhz, cpuset, root),
      );
      const own = [...new Map(found.map((problem) => [problem.what, problem])).values()];
      return [...own, ...(await launcher.check(limits.map(withoutFrequency)))];
    },
    async start(request, signal) {
      const { cpuFrequencyKhz, cpuset } = request.limits;
      if (cpuFrequencyKhz === undefined) return launcher.start(request, signal);
      const problems = checkCpuFrequency(cpuFrequencyKhz, cpuset, root);
      if (problems.length > 0) throw new LaunchError(problems);
      return startAt(cpuFrequencyKhz, launcher, request, signal, root);
    },
  };
}

async function startAt(
  cpuFrequencyKhz: number,
  launcher: Launcher,
  request: LaunchRequest,
  signal: AbortSignal,
  root: string | undefined,
): Promise<RunningServer> {
  const held = holdCpuFrequency(cpuFrequencyKhz, request.limits.cpuset, request.runLabel, root);
  try {
    const server = await launcher.start({ ...request, limits: withoutFrequency(request.limits) }, signal);
    return {
      ...server,
      applied: { ...server.applied, cpuFrequencyKhz },
      mechanism: `${server.mechanism} + cpufreq`,
      async readUsage() {
        held.verify();
        return server.readUsage();
      },
      async [Symbol.asyncDispose]() {
        try {
          await server[Symbol.asyncDispose]();
        } finally {
          held.restore();
        }
      },
    };
  } catch (error) {
    held.restore();
    throw error;
  }
}

function withoutFrequency({ cpuFrequencyKhz: _, ...limits }: Limits): Limits {
  return limits;
}
