import { expect, test } from 'vitest';
import { createDesign, estimateRunS } from '../../src/design/index.ts';
import { specFromYaml } from './specs.ts';

const TEXT = `
name: a
design: { replicates: 2 }
fixed: { model: mnist-cnn }
factors: { batch: [1, 4], load: [light, high] }
measure: { warmup: 3s, window: 5s, windows: 2, calibration: 2s }
energy: { idle: 6s }
`;

test('the first guess counts idle power once a block, launches with their calibration, and trials with warm-up and windows', () => {
  const spec = specFromYaml(TEXT);
  expect(estimateRunS(spec, createDesign(spec).ask())).toBeCloseTo(2 * 6 + 4 * (1.5 + 2) + 8 * (3 + 10 + 0.7));
});

test('what is left of a run is guessed from the configurations that are left; nothing left takes no time', () => {
  const spec = specFromYaml(TEXT);
  const [first] = createDesign(spec).ask();
  expect(estimateRunS(spec, first === undefined ? [] : [first])).toBeCloseTo(6 + 3.5 + 2 * 13.7);
  expect(estimateRunS(spec, [])).toBe(0);
});

test('a service-level objective is searched for in each launch, for about as long as the calibration', () => {
  const plain = specFromYaml(TEXT);
  const searched = specFromYaml(TEXT.replace('measure: {', 'measure: { slo: { latency_ms: 50 },'));
  const seconds = [searched, plain].map((spec) => estimateRunS(spec, createDesign(spec).ask()));
  expect((seconds[0] ?? 0) - (seconds[1] ?? 0)).toBeCloseTo(4 * 2);
});

test('a run without energy measures no idle power', () => {
  const spec = specFromYaml(
    `${TEXT.replace('energy: { idle: 6s }', 'energy: { source: none }')}objectives: [{ minimize: latency_p50_ms }]`,
  );
  expect(estimateRunS(spec, createDesign(spec).ask())).toBeCloseTo(4 * 3.5 + 8 * 13.7);
});
