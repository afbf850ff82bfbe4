import { createRng, deriveSeed } from '../rng.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { configurationOf, idOf } from './factorial.ts';
import type { DesignPoint, PlannedConfiguration } from './types.ts';

/**
 * When every point is run: one block per replicate, each with all points, in an order randomised from the spec's seed.
 *
 * Points that differ only in load stand together under one server configuration, so that they share its launch. The order of configurations within a block and of loads within
 * a configuration are both random; it is the same for the same points and seed in every process.
 */
export function schedule({ design }: ExperimentSpec, points: readonly DesignPoint[]): PlannedConfiguration[] {
  const configurations = groupByConfiguration(points);
  let runOrder = 0;
  return Array.from({ length: design.replicates }, (_, at) => at + 1).flatMap((block) =>
    createRng(deriveSeed(design.seed, 'order', block))
      .shuffle(configurations)
      .map(({ configurationId, levels, points: members }) => ({
        configurationId,
        levels,
        block,
        trials: createRng(deriveSeed(design.seed, 'load-order', block, configurationId))
          .shuffle(members)
          .map((point) => ({ ...point, replicate: block, block, runOrder: ++runOrder })),
      })),
  );
}

interface Group {
  readonly configurationId: string;
  readonly levels: DesignPoint['levels'];
  readonly points: readonly DesignPoint[];
}

function groupByConfiguration(points: readonly DesignPoint[]): Group[] {
  const groups = new Map<string, Group & { readonly points: DesignPoint[] }>();
  for (const point of points) {
    const levels = configurationOf(point.levels);
    const configurationId = idOf(levels);
    const group = groups.get(configurationId);
    if (group === undefined) groups.set(configurationId, { configurationId, levels, points: [point] });
    else group.points.push(point);
  }
  return [...groups.values()];
}
