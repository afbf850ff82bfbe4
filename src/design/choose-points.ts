import { DesignError } from '../errors.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { unreachable } from '../unreachable.ts';
import { isExcluded } from './exclusions.ts';
import { gridSize, levelsAt, toPoint } from './factorial.ts';
import { chooseFraction, type Fraction } from './fractional-factorial.ts';
import { latinHypercube } from './latin-hypercube.ts';
import { randomSubset } from './random-subset.ts';
import type { DesignPoint } from './types.ts';

/** The points a method chose, before they are put in order. */
export interface ChosenPoints {
  readonly points: readonly DesignPoint[];
  /** Points the method gives before exclusions take theirs; for subsets, the whole grid they are taken from. */
  readonly candidates: number;
  /** How a fractional design was made. */
  readonly fraction: Fraction | undefined;
}

/** Points a design may have: more than anyone can run, and few enough to hold. */
const MOST_POINTS = 100_000;

export function choosePoints(spec: ExperimentSpec): ChosenPoints {
  const { method } = spec.design;
  const candidates = gridSize(spec);
  switch (method) {
    case 'full-factorial':
      refuseTooMany(spec, candidates);
      return {
        points: survivors(
          spec,
          Array.from({ length: candidates }, (_, at) => at),
        ),
        candidates,
        fraction: undefined,
      };
    case 'random':
      return { points: randomSubset(spec).map(toPoint), candidates, fraction: undefined };
    case 'latin-hypercube':
      return { points: latinHypercube(spec).map(toPoint), candidates, fraction: undefined };
    case 'fractional-factorial': {
      const fraction = chooseFraction(spec);
      return { points: survivors(spec, fraction.runs), candidates: fraction.runs.length, fraction };
    }
    default:
      return unreachable(method);
  }
}

function survivors(spec: ExperimentSpec, indices: readonly number[]): DesignPoint[] {
  return indices
    .map((index) => levelsAt(spec, index))
    .filter((levels) => !isExcluded(levels, spec.exclude))
    .map(toPoint);
}

function refuseTooMany(spec: ExperimentSpec, points: number): void {
  if (points <= MOST_POINTS) return;
  throw new DesignError({
    where: spec.file,
    what: `the full factorial has ${points} points, more than ${MOST_POINTS}`,
    hint: 'Take a subset, e.g. design: { method: latin-hypercube, points: 200 }, or remove levels.',
  });
}
