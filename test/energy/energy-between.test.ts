import { describe, expect, test } from 'vitest';
import { energyBetween } from '../../src/energy/index.ts';

const BEFORE = { atNs: 1e9, zonesJ: { 'package-0': 10, 'dram-0': 1 }, overlappingJ: { 'core-0': 5, psys: 20 } };
const AFTER = { atNs: 3e9, zonesJ: { 'package-0': 50, 'dram-0': 3 }, overlappingJ: { psys: 80 } };

describe('what was drawn between two readings', () => {
  test('is the difference of each zone, their sum, and the mean power', () => {
    expect(energyBetween(BEFORE, AFTER)).toEqual({
      totalJ: 42,
      zonesJ: { 'package-0': 40, 'dram-0': 2 },
      overlappingJ: { psys: 60 },
      durationS: 2,
      powerW: 21,
    });
  });

  test.each([
    { what: 'reversed readings', before: AFTER, after: BEFORE, message: 'is not after the one at' },
    { what: 'twice the same reading', before: BEFORE, after: BEFORE, message: 'is not after the one at' },
    {
      what: 'a zone that falls',
      before: BEFORE,
      after: { ...AFTER, zonesJ: { 'package-0': 9, 'dram-0': 3 } },
      message: 'zone "package-0" falls from 10 to 9 J',
    },
    {
      what: 'a zone that is missing',
      before: BEFORE,
      after: { ...AFTER, zonesJ: { 'package-0': 50 } },
      message: 'the later reading has no zone "dram-0"',
    },
    {
      what: 'a zone that is new',
      before: BEFORE,
      after: { ...AFTER, zonesJ: { ...AFTER.zonesJ, 'dram-1': 1 } },
      message: 'the readings name different zones: package-0,dram-0 and package-0,dram-0,dram-1',
    },
  ])('is refused for $what', ({ before, after, message }) => {
    expect(() => energyBetween(before, after)).toThrow(RangeError);
    expect(() => energyBetween(before, after)).toThrow(message);
  });
});
