import { LaunchError } from '../errors.ts';
import type { Launcher, Limits } from '../launch/index.ts';
import type { ExperimentSpec, Level } from '../spec/types.ts';
import { limitsOf } from './configuration-settings.ts';
import { neighbourLimitsOf } from './neighbour-settings.ts';
import { levelsOf, neighbourLevels } from './spec-levels.ts';

const LIMIT_FACTORS = ['cpus', 'cpuset', 'memory', 'cpu_frequency'] as const;

/**
 * Asks the launcher about every combination of limits the experiment may need, before anything starts.
 *
 * @throws LaunchError with all limits that cannot be applied here, each with its fix and its place in the spec
 */
export async function checkLimits(
  spec: ExperimentSpec,
  launcher: Launcher,
  serverCpuset: string | undefined,
  locate: (path: readonly (string | number)[]) => string,
): Promise<void> {
  const problems = await launcher.check(combinations(spec, serverCpuset));
  if (problems.length === 0) return;
  const asked = [...LIMIT_FACTORS, 'colocated'];
  const section = asked.some((factor) => factor in spec.factors) ? 'factors' : 'fixed';
  throw new LaunchError(problems.map((problem) => ({ where: locate([section]), ...problem })));
}

/** Limits of every combination of levels of the limit factors, and of every neighbour beside each. */
function combinations(spec: ExperimentSpec, serverCpuset: string | undefined): Limits[] {
  let points: Readonly<Record<string, Level>>[] = [{}];
  for (const factor of LIMIT_FACTORS) {
    const levels = levelsOf(spec, factor);
    if (levels.length > 0) points = points.flatMap((point) => levels.map((level) => ({ ...point, [factor]: level })));
  }
  const ofServers = points.map((levels) => limitsOf(levels, serverCpuset));
  const ofNeighbours = neighbourLevels(spec).flatMap((neighbour) =>
    ofServers.map((limits) => neighbourLimitsOf(neighbour, limits)),
  );
  return [...ofServers, ...ofNeighbours];
}
