import { expect, test } from 'vitest';
import { createRng, deriveSeed } from '../../src/rng.ts';
import { COVERAGE_DESIGNS } from './coverage-designs.ts';

const quick = COVERAGE_DESIGNS.filter(({ isSlow }) => isSlow !== true);
/** One design of each interval that takes bootstrap draws. */
const slow = COVERAGE_DESIGNS.filter(
  ({ isSlow, interval }, at) => isSlow && COVERAGE_DESIGNS.findIndex((other) => other.interval === interval) === at,
);

function countCovered({ interval, design, simulate }: (typeof COVERAGE_DESIGNS)[number], runs: number) {
  const outcomes = Array.from({ length: runs }, (_, run) => simulate(createRng(deriveSeed(run, interval, design))));
  expect(outcomes).not.toContain(undefined);
  return outcomes.filter(Boolean).length;
}

// 95 of 100, less three standard errors; benchmarks/analysis-coverage.ts looks closer. The simulations are seeded, so these are fixed numbers.
test.each(quick)('$interval holds the truth in about 95 of 100 simulations of $design', (design) => {
  expect(countCovered(design, 100)).toBeGreaterThanOrEqual(88);
});

test.each(slow)('$interval holds the truth in most of a few simulations of $design', (design) => {
  expect(countCovered(design, 12)).toBeGreaterThanOrEqual(9);
});
