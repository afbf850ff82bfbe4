import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveModel } from '../../src/models/index.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'dse-sequence-'));
const resolve = (name: string, sequenceLength?: number) =>
  resolveModel(name, 'fp32', { baseDir: '.', cacheDir, sequenceLength });

test('a sequence length becomes the size of the open dimension, and the multiply-adds are those of that length', async () => {
  const [own, half] = [await resolve('lstm'), await resolve('lstm', 64)];
  expect([own.dims, half.dims]).toEqual([{ sequence: 128 }, { sequence: 64 }]);
  const last = 128 * 5;
  expect((half.macs ?? 0) - last).toBe(((own.macs ?? 0) - last) / 2);
  expect(half.digest).toBe(own.digest);
});

test('a sequence length is refused where no dimension is open, and where it is longer than the model takes', async () => {
  await expect(resolve('mnist-cnn', 64)).rejects.toThrow(
    'a sequence length of 64 cannot be set: the model leaves no dimension open besides the batch',
  );
  await expect(resolve('bert-tiny', 513)).rejects.toThrow(
    'a sequence length of 513 is too long for the model, which takes at most 512',
  );
});
