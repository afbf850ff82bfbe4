import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCpuList, parseCpuList } from '../src/cpu-list.ts';

test('a list in the kernel format names its CPUs once and in order', () => {
  expect(parseCpuList('5,0-2,1')).toEqual([0, 1, 2, 5]);
});

test.each(['', 'a', '1-', '3-1', '0,,1', '-1', '0x1', '0-999999'])('"%s" is not a CPU list', (text) => {
  expect(parseCpuList(text)).toBeUndefined();
});

test('a formatted list parses back to the same CPUs', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(300), { minLength: 1 }), (cpus) => {
      expect(parseCpuList(formatCpuList(cpus))).toEqual([...cpus].sort((a, b) => a - b));
    }),
  );
});
