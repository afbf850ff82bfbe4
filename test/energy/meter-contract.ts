import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type EnergyMeter, energyBetween, faultsBetween, type MeterSource } from '../../src/energy/index.ts';

/** A meter on a world whose power is known. */
export interface MeterInWorld extends AsyncDisposable {
  readonly meter: EnergyMeter;
  /** What the meter should show, watts. */
  readonly trueW: number;
  /** Takes away what the meter reads. */
  readonly breakIt: () => Promise<void>;
}

/** What every energy meter promises, run against one of them. */
export function describeMeterContract(source: MeterSource, what: string, open: () => Promise<MeterInWorld>): void {
  describe(`the ${source} meter (${what})`, () => {
    test('shows the true power over a window within 2 %, with the same zones in every reading', async () => {
      await using world = await open();
      const { meter, trueW } = world;
      const before = await meter.read();
      await sleep(1200);
      const after = await meter.read();
      const { totalJ, zonesJ, durationS, powerW } = energyBetween(before, after);
      expect(durationS).toBeGreaterThan(1.1);
      expect(powerW / trueW).toBeGreaterThan(0.98);
      expect(powerW / trueW).toBeLessThan(1.02);
      expect(Object.values(zonesJ).reduce((sum, joules) => sum + joules)).toBeCloseTo(totalJ, 9);
      expect(Object.keys(after.zonesJ)).toEqual(Object.keys(before.zonesJ));
      expect(faultsBetween(meter, before.atNs, after.atNs)).toEqual([]);
    });

    test('says what it is', async () => {
      await using world = await open();
      expect(world.meter.source).toBe(source);
      expect(world.meter.isEstimate).toBe(source === 'estimate');
      expect(world.meter.description).not.toBe('');
    });

    test('answers several readers at once, each at its own moment, and never goes backwards', async () => {
      await using world = await open();
      const { meter } = world;
      const asked: ReturnType<EnergyMeter['read']>[] = [];
      for (let reading = 0; reading < 12; reading++) {
        asked.push(meter.read(), meter.read());
        await sleep(20);
      }
      const readings = await Promise.all(asked);
      for (const [index, reading] of readings.entries()) {
        const before = readings[index - 1];
        if (before === undefined) continue;
        expect(reading.atNs).toBeGreaterThanOrEqual(before.atNs);
        for (const [zone, joules] of Object.entries(reading.zonesJ)) {
          expect(joules).toBeGreaterThanOrEqual(before.zonesJ[zone] ?? Number.NaN);
        }
      }
    });

    test('goes on answering when what it reads is taken away, and says so of every window from then on', async () => {
      await using world = await open();
      const { meter } = world;
      const before = await meter.read();
      await world.breakIt();
      await sleep(50);
      const lost = await meter.read();
      await sleep(50);
      const after = await meter.read();
      expect(faultsBetween(meter, before.atNs, lost.atNs)).not.toEqual([]);
      expect(faultsBetween(meter, lost.atNs, after.atNs)).not.toEqual([]);
      expect(meter.faults[0]?.reason).toMatch(/\w+ \w+/);
    });

    test('may be closed twice', async () => {
      await using world = await open();
      await world.meter[Symbol.asyncDispose]();
      await world.meter[Symbol.asyncDispose]();
    });
  });
}
