import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluateOnce, resolveModel } from '../../../src/models/index.ts';
import { packageFile } from '../../../src/package-files.ts';

test('a file is evaluated once on the same samples, and anew on others', async () => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'dse-evaluated-'));
  const folders = { baseDir: packageFile('models'), cacheDir };
  const model = await resolveModel('japanese-vowels.onnx', 'fp32', { ...folders });
  const set = { data: 'japanese-vowels-test.npy', labels: 'japanese-vowels-test-labels.npy' };
  const { top1 } = await evaluateOnce(model, set, folders);
  expect(top1).toBeCloseTo(365 / 370, 12);

  const kept = readdirSync(cacheDir).filter((name) => name.startsWith('accuracy-'));
  expect(kept).toHaveLength(1);
  // What was kept is what is told: no second evaluation.
  writeFileSync(join(cacheDir, kept[0] ?? ''), '{"top1":0.5,"top5":1}');
  expect(await evaluateOnce(model, set, folders)).toEqual({ top1: 0.5, top5: 1 });
  // A damaged file is not believed, and another scale is another evaluation.
  writeFileSync(join(cacheDir, kept[0] ?? ''), '{"top1":');
  expect((await evaluateOnce(model, set, folders)).top1).toBe(top1);
  expect((await evaluateOnce(model, { ...set, scale: 0 }, folders)).top1).toBeLessThan(0.5);
});
