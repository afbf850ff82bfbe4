import { expect, test } from 'vitest';
import { analyzeTable, type CellValue, levelsOf, recommend, tableFromRecords } from '../../src/analysis/index.ts';
import { KNOWN_FACTORS, knownTable } from './known-effects.ts';

type Records = readonly Readonly<Record<string, CellValue>>[];

function ask(records: Records, limit: number, factors: readonly string[] = ['id']) {
  const analysis = analyzeTable(tableFromRecords(records, factors), {
    factors,
    objectives: [{ response: 'energy_j', direction: 'minimize' }],
    constraints: [{ response: 'latency_ms', relation: '<=', limit }],
    contexts: [],
  });
  const recommendation = recommend(analysis);
  const name = (configuration: number | undefined) =>
    configuration === undefined ? undefined : levelsOf(analysis.configurations, configuration).join(' ');
  return { recommendation, name };
}

/** Frugal but at the edge of 10 ms; safe and dearer by a quarter; fast and dearest. */
const CHOICES = [0.95, 1, 1.05].flatMap((noise) => [
  { id: 'edge', latency_ms: 9.9 * noise, energy_j: 4 },
  { id: 'safe', latency_ms: 7 * noise, energy_j: 5 },
  { id: 'fast', latency_ms: 2 * noise, energy_j: 9 },
]);

test('the best that meets the constraint is named, with how sure, and what it costs to be safer', () => {
  const { recommendation, name } = ask(CHOICES, 10);
  if (!('choice' in recommendation)) throw new Error('nothing was found');
  const { choice, safer, priceOfSafety, runnersUp, eligible } = recommendation;
  expect(name(choice.configuration)).toBe('edge');
  expect(choice.chances?.meets.value).toBeGreaterThan(0.5);
  expect(choice.chances?.meets.value).toBeLessThan(0.8);
  expect(choice.chances?.best.value).toBe(choice.chances?.meets.value);
  expect(name(safer?.configuration)).toBe('safe');
  expect(priceOfSafety).toBeCloseTo(0.25, 12);
  expect(runnersUp.map(({ configuration }) => name(configuration))).toEqual(['safe', 'fast']);
  expect(eligible).toBe(3);
});

test('a choice that is safe already has no safer one', () => {
  const { recommendation, name } = ask(CHOICES, 20);
  expect(recommendation).toMatchObject({ safer: undefined, priceOfSafety: undefined });
  expect('choice' in recommendation && name(recommendation.choice.configuration)).toBe('edge');
});

test('where nothing meets the constraint, the closest and what it misses are named', () => {
  const { recommendation, name } = ask(CHOICES, 1);
  if ('choice' in recommendation) throw new Error('something was found');
  expect(name(recommendation.closest?.configuration)).toBe('fast');
  expect(recommendation.misses).toEqual([{ response: 'latency_ms', relation: '<=', limit: 1 }]);
});

test('single measurements have no chances', () => {
  const { recommendation } = ask(CHOICES.slice(3, 6), 20);
  expect('choice' in recommendation && recommendation.choice.chances).toBeUndefined();
});

test('the truly best configuration of a noisy table is found at each load', () => {
  const analysis = analyzeTable(tableFromRecords(knownTable({ seed: 3, replicates: 3, noise: 0.03 }), KNOWN_FACTORS), {
    factors: KNOWN_FACTORS,
    objectives: [{ response: 'energy_per_inference_j', direction: 'minimize' }],
    constraints: [{ response: 'accuracy_top1', relation: '>=', limit: 0.75 }],
    contexts: [],
  });
  for (const load of ['light', 'high']) {
    const found = recommend(analysis, new Map([['load', load]]));
    if (!('choice' in found)) throw new Error('nothing was found');
    // Two threads draw 21 W for 0.6 of the time of 14 W: 0.9 of the energy. Eight images in a request share best.
    expect(levelsOf(analysis.configurations, found.choice.configuration)).toEqual(['large', '8', '2', load]);
  }
});
