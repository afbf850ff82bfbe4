import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { readIdx } from '../../src/models/idx.ts';
import { packageFile } from '../../src/package-files.ts';
import { idxFile } from './idx-file.ts';

const file = join(mkdtempSync(join(tmpdir(), 'dse-idx-')), 'data.idx');

test('an array comes back with its shape and its elements', () => {
  writeFileSync(file, idxFile([2, 1, 3], [1, 2, 3, 4, 5, 255]));
  const { shape, data } = readIdx(file);
  expect(shape).toEqual([2, 1, 3]);
  expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
});

test('the shipped test images are 100 of each digit', () => {
  expect(readIdx(packageFile('models/mnist-test-1000-images.idx')).shape).toEqual([1000, 28, 28]);
  const { shape, data } = readIdx(packageFile('models/mnist-test-1000-labels.idx'));
  expect(shape).toEqual([1000]);
  const counts = Array.from({ length: 10 }, (_, digit) => data.filter((label) => label === digit).length);
  expect(counts).toEqual(Array(10).fill(100));
});

test.each([
  ['nothing', Buffer.alloc(0), 'does not start as an IDX file does'],
  ['text', Buffer.from('label\n'), 'does not start as an IDX file does'],
  ['a compressed file', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), 'does not start as an IDX file does'],
  ['floats', Buffer.from([0, 0, 0x0d, 1, 0, 0, 0, 0]), 'holds elements of type 0xd, not unsigned bytes (0x8)'],
  ['half a header', Buffer.from([0, 0, 8, 3, 0, 0, 0, 1]), 'ends within its 3 dimensions'],
  ['too few elements', idxFile([3], [1, 2]), 'holds 2 elements where its dimensions [3] say 3'],
  ['too many elements', idxFile([1], [1, 2]), 'holds 2 elements where its dimensions [1] say 1'],
])('%s is refused with a sentence', (_, bytes, message) => {
  writeFileSync(file, bytes);
  expect(() => readIdx(file)).toThrow(ModelError);
  expect(() => readIdx(file)).toThrow(`${file}  the data file ${message}`);
});

test('a missing file is refused with its path', () => {
  expect(() => readIdx('/nowhere/labels.idx')).toThrow('/nowhere/labels.idx  the data file cannot be read: ENOENT');
});
