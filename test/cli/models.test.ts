import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readOnnx, writeOnnx } from '../../src/models/onnx-file.ts';
import { packageFile } from '../../src/package-files.ts';
import { dse, scratchFolder } from './dse.ts';

test('a model is inspected, quantised and evaluated from the command line', async () => {
  await using folder = await scratchFolder();
  const out = path.join(folder.dir, 'small.onnx');
  const quantized = await dse(['models', 'quantize', 'mnist-cnn', '--out', out]);
  expect(quantized.stdout).toMatch(/^Wrote .*small\.onnx: 0\.11 MB, 0\.25\d of the base's 0\.42 MB\./);
  expect(existsSync(out)).toBe(true);

  const inspected = JSON.parse((await dse(['models', 'inspect', out, '--json'])).stdout);
  expect(inspected).toMatchObject({ params: 105_866, macs: 1_117_056, lineage: { steps: [{ step: 'int8-static' }] } });

  const evaluated = await dse(['models', 'eval', 'mnist-cnn', '--variant', 'int8-static']);
  expect(evaluated.stdout).toContain('mnist-cnn, variant int8-static, on 1000 samples of mnist-test-1000');
  expect(evaluated.stdout).toMatch(
    /against the base {3}[+-]\d\.\d\d points {2}\(95 % interval .* paired; \d+ gained, \d+ lost\)/,
  );
});

test('a model that onnxruntime does not load is inspected as far as its file tells, with a sentence and exit code 1', async () => {
  await using folder = await scratchFolder();
  const source = packageFile('models/mnist-cnn.onnx');
  const newer = Object.assign(readOnnx(readFileSync(source), source), { irVersion: 99 });
  const file = path.join(folder.dir, 'newer.onnx');
  writeFileSync(file, writeOnnx(newer));
  const { exitCode, stdout } = await dse(['models', 'inspect', file]);
  expect(stdout).toMatch(
    /cannot run +onnxruntime does not load it \(.*IR version: 99.*\); what stands here was read from the file/,
  );
  expect(stdout).toContain('105,866');
  expect(exitCode).toBe(1);
});

test('what cannot be done to a model ends with a sentence and exit code 2', async () => {
  await using folder = await scratchFolder();
  const out = path.join(folder.dir, 'none.onnx');
  const cases: [string[], string][] = [
    [['quantize', 'squeezenet1.1', '--method', 'dynamic', '--out', out], 'int8-dynamic would round 0 % of the model'],
    [['quantize', 'mnist-cnn', '--method', 'fast', '--out', out], '"fast" is not possible'],
    [['convert', 'mnist-cnn', '--out', out], 'no format was named'],
    [['eval', 'squeezenet1.1'], '"squeezenet1.1" ships with no labelled samples'],
    [['inspect', 'mnist-cnn', '--variant', 'int4'], 'unknown variant "int4"'],
  ];
  for (const [args, message] of cases) {
    const { exitCode, stderr } = await dse(['models', ...args], { cwd: folder.dir });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  }
  expect(existsSync(out)).toBe(false);
});
