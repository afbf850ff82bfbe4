import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEngine } from '../../src/engine/index.ts';
import { fusedOutput } from '../../src/models/fused-outputs.ts';
import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { inspectModel, profileModel, resolveModel } from '../../src/models/index.ts';
import { writeOnnx } from '../../src/models/onnx-file.ts';
import { openFileRunner } from '../../src/models/runner.ts';
import { plainSettings } from '../engine/tiny-models.ts';
import { residualAddition } from './residual-addition.ts';
import { randomInputs } from './run-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'dse-fused-'));

function write(name: string, outputs: Parameters<typeof residualAddition>[0]): string {
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, writeOnnx(residualAddition(outputs)));
  return file;
}

describe('a model that gives a branch of an addition beside its sum', () => {
  const both = write('both', ['short', 'sum']);
  const inputs = randomInputs(residualAddition(['sum']), 2);

  test('is served, profiled and inspected with all other optimisations, and gives both as models of one output do', async () => {
    await using engine = await loadEngine(both, plainSettings);
    const served = (await engine.run(inputs)).outputs;
    await using runner = await openFileRunner(both);
    const found = await runner.run(inputs);
    for (const name of ['short', 'sum'] as const) {
      await using alone = await loadEngine(write(name, [name]), plainSettings);
      const [expected] = (await alone.run(inputs)).outputs;
      const wanted = Array.from(expected?.data as Float32Array);
      expect(wanted).toHaveLength(2 * 34 * 16);
      for (const data of [served.find((each) => each.name === name)?.data, found.get(name)?.data]) {
        for (const [index, value] of (data as Float32Array).entries()) {
          expect(value).toBeCloseTo(wanted[index] ?? Number.NaN, 3);
        }
      }
    }
    const model = await resolveModel(both, 'fp32', { baseDir: folder, cacheDir: folder });
    expect((await profileModel(model)).bareLatencyMs).toBeGreaterThan(0);
  });

  test('says so among its caveats, and one that gives the sum alone does not', async () => {
    const caveatsOf = async (file: string) =>
      (await inspectModel(file, 'fp32', { baseDir: folder, cacheDir: folder, optimized: true })).caveats;
    expect(await caveatsOf(both)).toEqual([
      'its output "short" is added to another value inside: onnxruntime\'s fusion of convolutions with additions, which would lose it and end the process, is off',
    ]);
    expect(await caveatsOf(write('sum', ['sum']))).toEqual([]);
  });
});

test('the value is found in the file and in its bytes, and none in models without it or in bytes that are no model', () => {
  expect(fusedOutput(write('both', ['short', 'sum']))).toBe('short');
  const bytes = writeOnnx(residualAddition(['sum', 'short']));
  expect(fusedOutput(bytes)).toBe('short');
  expect(fusedOutput(write('sum', ['sum']))).toBeUndefined();
  for (const broken of [
    bytes.subarray(0, 100),
    new Uint8Array(),
    Uint8Array.of(0x3a, 0xff),
    new Uint8Array(64).fill(255),
  ]) {
    expect(fusedOutput(broken)).toBeUndefined();
  }
});

test.each(['BatchNormalization', 'Identity'])('a %s between convolution and addition hides nothing', (opType) => {
  const graph = new GraphBuilder('between');
  const input = graph.input('input', 'float32', ['n', 4, 8, 8]);
  const weights = graph.floats('w', [4, 4, 1, 1], new Float32Array(16).fill(0.1));
  const made = graph.node('Conv', 'conv', [input, weights]);
  const ones = ['scale', 'bias', 'mean', 'variance'].map((name) =>
    graph.floats(name, [4], new Float32Array(4).fill(1)),
  );
  const passed = graph.node(opType, 'between', opType === 'Identity' ? [made] : [made, ...ones]);
  graph.node('Add', 'sum', [passed, input]);
  graph.output('sum', 'float32', ['n', 4, 8, 8]);
  const given = opType === 'Identity' ? made : passed;
  graph.output(given, 'float32', ['n', 4, 8, 8]);
  expect(fusedOutput(writeOnnx(graph.build({})))).toBe(given);
});

test('a branch in a graph inside a node is found', () => {
  const inner = residualAddition(['sum', 'short']).graph;
  const outer = residualAddition(['sum']);
  outer.graph.node[0]?.attribute.push({ name: 'body', g: inner } as never);
  expect(fusedOutput(writeOnnx(outer))).toBe('short');
});
