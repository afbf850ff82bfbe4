import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLabelledSet } from '../../../src/models/evaluate/labelled-set.ts';
import { evaluateModel, resolveModel } from '../../../src/models/index.ts';
import { readNpy } from '../../../src/models/npy.ts';
import { idxFile } from '../idx-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'dse-labelled-'));
const write = (name: string, content: string | Buffer) => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

function npyFile(type: string, shape: string, data: Buffer, version = 1): Buffer {
  const header = Buffer.from(`{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }\n`);
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.from([version, 0]), length, header, data]);
}

describe('samples', () => {
  test('come from NPY files of any number type', () => {
    const floats = Buffer.from(Float32Array.of(1.5, -2, 3, 4).buffer);
    const data = write('x.npy', npyFile('<f4', '(2, 2)', floats));
    const labels = write('y.npy', npyFile('<i8', '(2,)', Buffer.from(BigInt64Array.of(1n, 0n).buffer), 2));
    const set = readLabelledSet(data, labels);
    expect(set).toMatchObject({ name: 'x.npy', samples: { shape: [2, 2] } });
    expect([...Array.from(set.samples.data), ...Array.from(set.labels)]).toEqual([1.5, -2, 3, 4, 1, 0]);
  });

  test('come from IDX files and from a CSV file', () => {
    const set = readLabelledSet(
      write('x.idx', idxFile([2, 3], [1, 2, 3, 4, 5, 6])),
      write('y.idx', idxFile([2], [7, 8])),
    );
    expect(set).toMatchObject({ samples: { shape: [2, 3] } });
    const table = readLabelledSet(write('t.csv', 'a,label,b\n0.5,1,2\n3,0,-4\n'), undefined);
    expect([...Array.from(table.samples.data), ...Array.from(table.labels)]).toEqual([0.5, 2, 3, -4, 1, 0]);
  });

  test.each([
    [
      'a table without labels',
      () => readLabelledSet(write('a.csv', 'a,b\n1,2\n'), undefined),
      'has no rows with a column "label"',
    ],
    [
      'a cell that is no number',
      () => readLabelledSet(write('b.csv', 'a,label\nx,2\n'), undefined),
      'has "x" in row 1, column "a"',
    ],
    ['an empty cell', () => readLabelledSet(write('e.csv', 'a,label\n,2\n'), undefined), 'has "" in row 1, column "a"'],
    [
      'a label that is no class',
      () => readLabelledSet(write('c.csv', 'a,label\n1,0.5\n'), undefined),
      'a label is 0.5',
    ],
    ['samples without labels', () => readLabelledSet('x.idx', undefined), 'the samples have no labels'],
    ['text as NPY', () => readNpy(write('bad.npy', 'no array, but text')), 'does not start as one does'],
    ['column-major NPY', () => readNpy(write('f.npy', npyFile('>f4', '(1,)', Buffer.alloc(4)))), 'has the header'],
    [
      'a short NPY',
      () => readNpy(write('s.npy', npyFile('<f4', '(3,)', Buffer.alloc(4)))),
      'holds 4 bytes where 3 elements of <f4 need 12',
    ],
  ])('%s is refused', (_, read, message) => {
    expect(read).toThrow(message);
  });

  test('more or fewer labels than samples are refused', () => {
    const [data, labels] = [write('m.idx', idxFile([2, 1], [1, 2])), write('n.idx', idxFile([3], [1, 2, 3]))];
    expect(() => readLabelledSet(data, labels)).toThrow('there are 2 samples and labels of shape [3]');
  });
});

test('the trained model is as accurate as its log says, and a variant is compared with it sample by sample', async () => {
  const folders = { baseDir: '.', cacheDir: folder };
  const base = await resolveModel('mnist-cnn', 'fp32', folders);
  const own = { data: undefined, labels: undefined };
  expect(await evaluateModel(base, undefined, own)).toMatchObject({
    set: 'mnist-test-1000',
    samples: 1000,
    top1: 0.992,
    againstBase: undefined,
  });
  const variant = await evaluateModel(await resolveModel('mnist-cnn', 'int8-static', folders), base, own);
  const { difference, gained, lost } = variant.againstBase ?? { difference: Number.NaN, gained: 0, lost: 0 };
  expect(difference).toBeCloseTo((gained - lost) / 1000, 12);
  expect(variant.top1).toBeCloseTo(0.992 + difference, 12);
  expect(difference).toBeGreaterThanOrEqual(-0.005);
});

test('a set that does not fit the model is refused', async () => {
  const model = await resolveModel('mnist-cnn', 'fp32', { baseDir: '.', cacheDir: folder });
  const [data, labels] = [write('p.idx', idxFile([2, 3], [1, 2, 3, 4, 5, 6])), write('q.idx', idxFile([2], [7, 8]))];
  await expect(evaluateModel(model, undefined, { data, labels })).rejects.toThrow(
    'samples of "p.idx" are [3], which do not fit the model\'s inputs: ',
  );
  const wide = [write('w.idx', idxFile([1, 784], new Array(784).fill(1))), write('v.idx', idxFile([1], [12]))];
  await expect(evaluateModel(model, undefined, { data: wide[0], labels: wide[1] })).rejects.toThrow('the label 12');
});

test("samples of a file that are fed otherwise than the model's own are said to be", async () => {
  const model = await resolveModel('mnist-cnn', 'fp32', { baseDir: '.', cacheDir: folder });
  const set = { data: 'models/mnist-test-1000-images.idx', labels: 'models/mnist-test-1000-labels.idx' };
  const { scale = Number.NaN, offset = Number.NaN } = model.dataset ?? {};
  const raw = await evaluateModel(model, undefined, set);
  expect(raw).toMatchObject({ scaling: { scale: 1, offset: 0 }, ownScaling: { scale, offset } });
  // As somebody would type them.
  const typed = await evaluateModel(model, undefined, { ...set, scale: 0.012728, offset: -0.4242 });
  expect(typed).toMatchObject({ ownScaling: undefined, top1: 0.992 });
  expect(raw.top1).toBeLessThan(typed.top1);
});
