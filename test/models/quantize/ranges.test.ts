import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseRange, Histogram, type Range } from '../../../src/models/quantize/ranges.ts';
import { activationScale, quantizeWeights } from '../../../src/models/quantize/scales.ts';
import { createRng } from '../../../src/rng.ts';

const spread = (count: number, draw: (index: number) => number) =>
  Float32Array.from({ length: count }, (_, i) => draw(i));

function histogramOf(elements: Float32Array): Histogram {
  const histogram = new Histogram({ min: Math.min(0, ...elements), max: Math.max(0, ...elements) });
  histogram.add(elements);
  return histogram;
}

describe('a range', () => {
  const rng = createRng(5);
  const normal = spread(20_000, () => rng.normal());

  test('by min-max is all that was seen', () => {
    const histogram = histogramOf(normal);
    expect(chooseRange(histogram, 'minmax')).toEqual(histogram.range);
  });

  test('by percentile leaves a lone outlier out, and next to nothing else', () => {
    const { max, min } = chooseRange(histogramOf(Float32Array.of(...normal, 1000)), 'percentile');
    expect(max).toBeLessThan(10);
    expect(min).toBeLessThan(-3);
    const inside = chooseRange(histogramOf(normal), 'percentile');
    const cut = normal.filter((value) => value < inside.min || value > inside.max).length;
    // One bin more than 0.01 % at either side at most.
    expect(cut).toBeLessThanOrEqual(40);
  });

  test('by entropy is narrower for long tails than for a flat spread, which keeps all of its own', () => {
    const tailed = spread(50_000, () => rng.exponential(1) ** 2);
    const flat = spread(50_000, () => rng.uniform());
    expect(chooseRange(histogramOf(tailed), 'entropy').max).toBeLessThan(0.6 * Math.max(...tailed));
    expect(chooseRange(histogramOf(flat), 'entropy').max).toBeGreaterThan(0.97);
  });

  test.each(['minmax', 'percentile', 'entropy'] as const)(
    'by %s holds 0, is ordered and lies within what was seen',
    (method) => {
      const floats = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
      fc.assert(
        fc.property(floats, (values) => {
          const histogram = histogramOf(Float32Array.from(values));
          const { min, max } = chooseRange(histogram, method);
          expect(min).toBeLessThanOrEqual(0);
          expect(max).toBeGreaterThanOrEqual(0);
          expect(min).toBeGreaterThanOrEqual(histogram.range.min);
          expect(max).toBeLessThanOrEqual(histogram.range.max);
        }),
      );
    },
  );
});

describe('a scale', () => {
  const ranges = fc
    .tuple(fc.double({ min: -1e4, max: 0, noNaN: true }), fc.double({ min: 0, max: 1e4, noNaN: true }))
    .map(([min, max]): Range => ({ min, max }));

  test('of activations brings every number of the range back within half a step, and 0 exactly', () => {
    fc.assert(
      fc.property(ranges, fc.double({ min: 0, max: 1, noNaN: true }), ({ min, max }, share) => {
        const { scale, zeroPoint } = activationScale({ min, max });
        const value = min + share * (max - min);
        const rounded = Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint));
        // The zero point is rounded too, so the ends of the range may lie half a step outside.
        expect(Math.abs((rounded - zeroPoint) * scale - value)).toBeLessThanOrEqual(scale * 1.000001);
        expect(Number.isInteger(zeroPoint)).toBe(true);
        expect(zeroPoint).toBeGreaterThanOrEqual(0);
        expect(zeroPoint).toBeLessThanOrEqual(255);
      }),
    );
  });

  test('has zero point 0 wherever nothing is below 0', () => {
    expect(activationScale({ min: 0, max: 6 }).zeroPoint).toBe(0);
    expect(activationScale({ min: 0, max: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
  });

  test('is rounded up to 11 bits, so that a range different in its last bits gives the same', () => {
    const { scale } = activationScale({ min: 0, max: 5.4321 });
    expect(scale).toBeGreaterThanOrEqual(5.4321 / 255);
    expect(scale).toBeLessThan((5.4321 / 255) * 1.001);
    expect(activationScale({ min: 0, max: 5.4321 * (1 + 1e-6) }).scale).toBe(scale);
  });

  test('of weights brings each back within half a step of its channel', () => {
    const weights = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(weights, fc.constantFrom(0, 1), (values, axis) => {
        const { values: integers, scales } = quantizeWeights(Float32Array.from(values), [3, 4], axis, undefined, 1);
        expect(scales).toHaveLength(axis === 0 ? 3 : 4);
        for (const [index, value] of values.entries()) {
          const scale = scales[axis === 0 ? Math.floor(index / 4) : index % 4] ?? 0;
          expect(Math.abs((integers[index] ?? 0) * scale - value)).toBeLessThanOrEqual(Math.max(0.5001 * scale, 1e-35));
        }
      }),
    );
  });

  test('of weights is wide enough that a large bias fits an int32', () => {
    const { scales } = quantizeWeights(Float32Array.of(1e-12), [1, 1], 0, Float32Array.of(50), 1e-3);
    expect(50 / ((scales[0] ?? 0) * 1e-3)).toBeLessThan(2 ** 31);
  });
});
