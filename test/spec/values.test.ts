import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpuList, durationMs, durationS, memoryBytes, percent } from '../../src/spec/values.ts';

test('durations are read with their unit, and need one', () => {
  const read = (text: unknown) => durationMs('5s').safeParse(text).data;
  expect(['500ms', '5s', '2m', '1h', '1.5s', '2 m'].map(read)).toEqual([500, 5000, 120_000, 3_600_000, 1500, 120_000]);
  expect([5, '5', '5 seconds', '-5s', '', 's', '1e3s', null].map(read)).toEqual(Array(8).fill(undefined));
  expect(durationS('5s').parse('250ms')).toBe(0.25);
});

test('memory is read in decimal and in binary units', () => {
  const read = (text: unknown) => memoryBytes().safeParse(text).data;
  expect(['512MB', '1GiB', '1.5GB', '64MiB', '8kB'].map(read)).toEqual([512e6, 2 ** 30, 1.5e9, 2 ** 26, 8000]);
  expect([512, '512', '512M', '0MB', '1TB', 'MB'].map(read)).toEqual(Array(6).fill(undefined));
});

test('percentages become shares, above 0 and below 1', () => {
  const read = (text: unknown) => percent('10%').safeParse(text).data;
  expect(['10%', '2.5 %', '99.9%'].map(read)).toEqual([0.1, 0.025, expect.closeTo(0.999)]);
  expect(['0%', '100%', '10', 0.1, '-5%'].map(read)).toEqual(Array(5).fill(undefined));
});

test('CPU lists are text in the format of the kernel, and one CPU may be a number', () => {
  const read = (text: unknown) => cpuList().safeParse(text).data;
  expect(['0-2,5', 3, '0'].map(read)).toEqual(['0-2,5', '3', '0']);
  expect(['a', '2-1', '', -1, 0.5, [0]].map(read)).toEqual(Array(6).fill(undefined));
});

test('a duration means the same in every unit it can be written in', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), (seconds) => {
      const ms = durationMs('5s').parse(`${seconds}s`);
      expect(durationMs('5s').parse(`${seconds * 1000}ms`)).toBe(ms);
      expect(durationMs('5s').parse(`${seconds * 60}s`)).toBe(durationMs('5s').parse(`${seconds}m`));
    }),
  );
});
