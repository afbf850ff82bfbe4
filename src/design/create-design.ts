import type { ExperimentSpec } from '../spec/types.ts';
import { choosePoints } from './choose-points.ts';
import { schedule } from './schedule.ts';
import type { DesignGenerator } from './types.ts';

/**
 * The design of a spec, with all of its points ready: `ask` gives everything once, and what it is told does not change it.
 *
 * Pure: the same spec gives the same configurations in the same order in every process.
 * @throws DesignError where the method cannot be applied to these factors
 */
export function createDesign(spec: ExperimentSpec): DesignGenerator {
  const configurations = schedule(spec, choosePoints(spec).points);
  let isAsked = false;
  return {
    size: configurations.reduce((trials, configuration) => trials + configuration.trials.length, 0),
    ask: () => {
      if (isAsked) return [];
      isAsked = true;
      return configurations;
    },
    tell: () => {},
  };
}
