import { describe, expect, test } from 'vitest';
import { FaultLog, faultsBetween } from '../../src/energy/fault-log.ts';
import { ZoneCounter } from '../../src/energy/zone-counter.ts';

const LIMITS = { maxPowerW: 1000, lagS: 0.05, stillS: 0.5 };
const MS = 1e6;

/** Feeds a counter with what it shows (uJ, or why it cannot be read) every 100 ms from t = 0. */
function countEvery100Ms(shown: readonly (number | Error)[], { hasRange = true } = {}) {
  const log = new FaultLog();
  let index = 0;
  const readUj = () => {
    const value = shown[index++];
    if (typeof value === 'number') return value;
    throw value;
  };
  const counter = new ZoneCounter(
    { name: 'package-0', rangeUj: hasRange ? 262_143e6 : undefined, readUj },
    LIMITS,
    log,
  );
  for (let sample = 0; sample < shown.length; sample++) counter.sample(sample * 100 * MS);
  return { counter, faults: log.list() };
}

describe('a zone', () => {
  test('that counts well has its joules and no fault', () => {
    const { counter, faults } = countEvery100Ms([1e6, 3e6, 6e6]);
    expect(counter.totalJ).toBe(5);
    expect(faults).toEqual([]);
  });

  test('that stands still is at fault from its last change to its next', () => {
    const { faults } = countEvery100Ms([1e6, 2e6, 2e6, 2e6, 2e6, 2e6, 2e6, 2e6, 3e6, 4e6]);
    expect(faults).toEqual([{ fromNs: 100 * MS, atNs: 800 * MS, reason: 'package-0 stands still at 2000000 uJ' }]);
  });

  test('that pauses for less than the limit is not', () => {
    expect(countEvery100Ms([1e6, 2e6, 2e6, 2e6, 2e6, 2e6, 3e6]).faults).toEqual([]);
  });

  test('that vanishes and comes back is at fault from the reading before to the reading after', () => {
    const gone = new Error('ENOENT: no such file');
    const { counter, faults } = countEvery100Ms([1e6, 2e6, gone, gone, 5e6, 6e6]);
    expect(faults).toEqual([
      { fromNs: 100 * MS, atNs: 400 * MS, reason: 'package-0 cannot be read: ENOENT: no such file' },
    ]);
    expect(counter.totalJ).toBe(5);
  });

  test('that goes backwards with an unknown range is at fault over that step, and counts on after it', () => {
    const { counter, faults } = countEvery100Ms([5e6, 6e6, 1e6, 2e6], { hasRange: false });
    expect(faults).toEqual([
      {
        fromNs: 100 * MS,
        atNs: 200 * MS,
        reason: 'package-0 fell from 6000000 to 1000000 uJ, and its range is not known',
      },
    ]);
    expect(counter.totalJ).toBe(2);
  });
});

describe('the faults of a window', () => {
  const meter = { faults: [{ fromNs: 100, atNs: 200, reason: 'package-0 stands still' }] };

  test.each([
    { startNs: 0, endNs: 100, count: 0, what: 'a window that ends where the count was last right' },
    { startNs: 200, endNs: 300, count: 0, what: 'a window that begins where the fault was over' },
    { startNs: 0, endNs: 101, count: 1, what: 'a window that reaches into it' },
    { startNs: 150, endNs: 160, count: 1, what: 'a window inside of it' },
    { startNs: 199, endNs: 300, count: 1, what: 'a window that begins in it' },
  ])('$what: $count', ({ startNs, endNs, count }) => {
    expect(faultsBetween(meter, startNs, endNs)).toHaveLength(count);
  });
});
