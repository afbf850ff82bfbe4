import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../src/engine/index.ts';
import { ModelError } from '../../src/errors.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { monotonicNs, NS_PER_US } from '../../src/units.ts';
import { plainSettings, TinyModels } from './tiny-models.ts';

const models = new TinyModels();
afterAll(() => models[Symbol.dispose]());

function floats(name: string, shape: readonly number[], values: readonly number[]): NamedTensor {
  return { name, type: 'float32', shape, data: Float32Array.from(values) };
}

function square(size: number): NamedTensor {
  return { name: 'a', type: 'float32', shape: [size, size], data: new Float32Array(size * size).fill(0.001) };
}

describe('loadEngine', () => {
  it('reads names, types and shapes from the file', async () => {
    await using engine = await loadEngine(models.add(), plainSettings);
    expect(engine.inputs).toEqual([
      { name: 'a', type: 'float32', shape: ['n', 3] },
      { name: 'b', type: 'float32', shape: ['n', 3] },
    ]);
    expect(engine.outputs).toEqual([{ name: 'sum', type: 'float32', shape: ['n', 3] }]);
  });

  it('says so when there is no such file', async () => {
    await expect(loadEngine('/nowhere/model.onnx', plainSettings)).rejects.toThrow(
      '/nowhere/model.onnx  there is no such file\n  Give the path of an ONNX file.',
    );
  });

  it('says so when the file is not a model', async () => {
    const file = models.file('text.onnx', 'this is not a model');
    const error = await loadEngine(file, plainSettings).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).message).toContain(`${file}  onnxruntime cannot load it: `);
  });

  it.runIf(process.platform === 'linux')('starts the intra-op threads it is told to', async () => {
    const threads = () => readdirSync('/proc/self/task').length;
    const count = async (intraOpThreads: number) => {
      const before = threads();
      await using _engine = await loadEngine(models.add(), { ...plainSettings, intraOpThreads });
      return threads() - before;
    };
    await count(1); // the runtime's own threads start with the first session of the process
    const alone = await count(1);
    expect((await count(4)) - alone).toBe(3);
  });
});

describe('run', () => {
  it('computes the outputs and says how long it waited and computed', async () => {
    await using engine = await loadEngine(models.add(), plainSettings);
    const { outputs, queueUs, computeUs } = await engine.run([
      floats('a', [1, 3], [1, 2, 3]),
      floats('b', [1, 3], [10, 20, 30]),
    ]);
    expect(outputs).toEqual([floats('sum', [1, 3], [11, 22, 33])]);
    expect(queueUs).toBeGreaterThan(0);
    expect(computeUs).toBeGreaterThan(0);
  });

  it('answers overlapping runs in their order, each with its own inputs', async () => {
    await using engine = await loadEngine(models.add(), plainSettings);
    const order: number[] = [];
    const sums = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const { outputs } = await engine.run([floats('a', [1, 3], [i, i, i]), floats('b', [1, 3], [1, 2, 3])]);
        order.push(i);
        return outputs[0]?.data;
      }),
    );
    expect(order).toEqual(sums.map((_, i) => i));
    expect(sums).toEqual(sums.map((_, i) => Float32Array.of(i + 1, i + 2, i + 3)));
  });

  it('counts the wait behind an earlier run as queue time, not as compute time', async () => {
    await using engine = await loadEngine(models.slow(), plainSettings);
    await engine.run([square(300)]);
    const inputs = [square(300), square(300)] as const;
    const firstCallNs = monotonicNs();
    const firstRun = engine.run([inputs[0]]);
    const secondRun = engine.run([inputs[1]]);
    const betweenUs = (monotonicNs() - firstCallNs) / NS_PER_US;
    const [first, second] = await Promise.all([firstRun, secondRun]);
    expect(second.queueUs).toBeGreaterThanOrEqual(first.computeUs - betweenUs);
    // One run follows the other, so that both fit into the time that passed.
    expect(first.computeUs + second.computeUs).toBeLessThanOrEqual((monotonicNs() - firstCallNs) / NS_PER_US);
  });

  it('leaves the caller free while the runtime computes', async () => {
    await using engine = await loadEngine(models.slow(), plainSettings);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const { computeUs } = await engine.run([square(700)]);
    clearInterval(timer);
    expect(computeUs).toBeGreaterThan(5_000);
    expect(ticks).toBeGreaterThan(2);
  });

  it('takes lent memory without a copy, and gives the same memory back', async () => {
    await using engine = await loadEngine(models.add(), plainSettings);
    const buffer = new ArrayBuffer(4096);
    const a: NamedTensor = { name: 'a', type: 'float32', shape: [1, 3], data: new Float32Array(buffer, 16, 3).fill(2) };
    const run = engine.run([a, floats('b', [1, 3], [1, 1, 1])], { lend: [buffer] });
    expect(buffer.byteLength).toBe(0); // moved away, so it cannot have been copied
    const { outputs, returned } = await run;
    expect(outputs[0]?.data).toEqual(Float32Array.of(3, 3, 3));
    expect(returned.map(({ byteLength }) => byteLength)).toEqual([4096]);
    expect(new Float32Array(returned[0] as ArrayBuffer, 16, 3)).toEqual(Float32Array.of(2, 2, 2));
  });

  it('leaves memory that was not lent as it was', async () => {
    await using engine = await loadEngine(models.add(), plainSettings);
    const a = floats('a', [1, 3], [1, 2, 3]);
    await engine.run([a, a].map((tensor, i) => ({ ...tensor, name: i === 0 ? 'a' : 'b' })));
    expect(a.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it('computes only the outputs asked for', async () => {
    await using engine = await loadEngine(models.divide(), plainSettings);
    const { outputs } = await engine.run([floats('a', [1], [1]), floats('b', [1], [2])], { outputs: ['quotient'] });
    expect(outputs.map(({ name }) => name)).toEqual(['quotient']);
  });

  it('rejects inputs the runtime refuses, and goes on', async () => {
    await using engine = await loadEngine(models.add(), plainSettings);
    const wrong = engine.run([floats('a', [1, 4], [1, 2, 3, 4]), floats('b', [1, 3], [1, 2, 3])]);
    await expect(wrong).rejects.toMatchObject({ name: 'InferenceError', kind: 'inputs' });
    const right = await engine.run([floats('a', [1, 3], [1, 2, 3]), floats('b', [1, 3], [1, 2, 3])]);
    expect(right.outputs[0]?.data).toEqual(Float32Array.of(2, 4, 6));
  });

  it('refuses a string that the runtime would cut short', async () => {
    await using engine = await loadEngine(models.everyType(), plainSettings);
    const cut = engine.run([{ name: 'in_string', type: 'string', shape: [1, 2], data: ['a\0b', ''] }]);
    await expect(cut).rejects.toThrow(
      'input "in_string" has a NUL character in a string, which the runtime cannot take',
    );
  });

  it('finishes the runs it was given when it is disposed, and rejects later ones', async () => {
    const engine = await loadEngine(models.slow(), plainSettings);
    const run = engine.run([square(200)]);
    await engine[Symbol.asyncDispose]();
    expect((await run).outputs).toHaveLength(1);
    expect(await engine.ended).toBeUndefined();
    await expect(engine.run([square(2)])).rejects.toMatchObject({ kind: 'gone' });
    await engine[Symbol.asyncDispose]();
  });
});
