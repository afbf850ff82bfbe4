import { expect, test } from 'vitest';
import { checkLittlesLaw } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';

const SERVICE_NS = 5e6;

/** Requests to an M/D/1 queue with their intended times and ends. */
function records(utilization: number, count: number) {
  const rng = createRng(5);
  const intendedNs = new Float64Array(count);
  const doneNs = new Float64Array(count);
  let now = 0;
  let free = 0;
  for (let request = 0; request < count; request++) {
    now += rng.exponential(utilization / SERVICE_NS);
    free = Math.max(now, free) + SERVICE_NS;
    intendedNs[request] = now;
    doneNs[request] = free;
  }
  return { intendedNs, doneNs };
}

test('a queue in balance obeys the law', () => {
  const all = records(0.7, 20_000);
  const law = checkLittlesLaw(all, 1e9, 100e9);
  expect(Math.abs(law.relativeDifference)).toBeLessThan(0.005);
  expect(law.rateRps).toBeCloseTo(140, -1);
});

test('a growing backlog and lost records break it', () => {
  expect(checkLittlesLaw(records(1.5, 20_000), 1e9, 60e9).relativeDifference).toBeLessThan(-0.03);
});

test('hand-made requests give hand-made figures', () => {
  const law = checkLittlesLaw(
    { intendedNs: Float64Array.of(-1e9, 0, 1e9), doneNs: Float64Array.of(1e9, 1e9, 5e9) },
    0,
    2e9,
  );
  // In the window: 1 s of the first, 1 s of the second, 1 s of the third; two ended in it, after 2 s and 1 s.
  expect(law).toEqual({ meanInSystem: 1.5, rateRps: 1, meanLatencyS: 1.5, relativeDifference: 0 });
});

test('an empty window is refused', () => {
  const none = { intendedNs: new Float64Array(), doneNs: new Float64Array() };
  expect(() => checkLittlesLaw(none, 5, 5)).toThrow('a window from 5 to 5 is empty');
});
