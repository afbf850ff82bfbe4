import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PowerTrace } from '../../src/energy/power-trace.ts';

const sampleAt = (atNs: number, watts: number) => ({ atNs, zonesW: { plug: watts } });

describe('energy under power samples', () => {
  test('is exact for a ramp, at samples and between them', () => {
    const trace = new PowerTrace(sampleAt(0, 0));
    trace.add(sampleAt(2e9, 20));
    expect(trace.energyAt(1e9)).toEqual({ plug: 5 });
    expect(trace.energyAt(2e9)).toEqual({ plug: 20 });
    trace.add(sampleAt(4e9, 40));
    expect(trace.energyAt(3e9)).toEqual({ plug: 45 });
    expect(trace.energyAt(4e9)).toEqual({ plug: 80 });
  });

  test('never falls, and ends at the sum of the trapezoids', () => {
    const step = fc.record({
      gapNs: fc.integer({ min: 1, max: 5e9 }),
      watts: fc.double({ min: 0, max: 2000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2 }), (steps) => {
        const trace = new PowerTrace(sampleAt(0, 100));
        let [atNs, watts, sumJ, beforeJ] = [0, 100, 0, 0];
        for (const next of steps) {
          trace.add(sampleAt(atNs + next.gapNs, next.watts));
          sumJ += ((watts + next.watts) / 2) * (next.gapNs / 1e9);
          for (const share of [0, 0.3, 1]) {
            const joules = trace.energyAt(atNs + share * next.gapNs).plug ?? Number.NaN;
            expect(joules).toBeGreaterThanOrEqual(beforeJ - 1e-9 * (1 + beforeJ));
            beforeJ = joules;
          }
          [atNs, watts] = [atNs + next.gapNs, next.watts];
        }
        expect(beforeJ).toBeCloseTo(sumJ, 6);
      }),
    );
  });

  test('is refused for samples that are not later, lack a zone or are negative', () => {
    const trace = new PowerTrace(sampleAt(5, 1));
    expect(() => trace.add(sampleAt(5, 1))).toThrow('a sample at 5 ns after one at 5 ns');
    expect(() => trace.add({ atNs: 6, zonesW: {} })).toThrow('plug shows undefined W');
    expect(() => trace.add(sampleAt(6, -1))).toThrow('plug shows -1 W');
  });
});
