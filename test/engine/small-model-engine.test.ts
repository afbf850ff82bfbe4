import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../src/engine/index.ts';
import { MOST_WORK_HERE } from '../../src/engine/small-model-engine.ts';
import { itemWork } from '../../src/models/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { plainSettings, TinyModels } from './tiny-models.ts';

const models = new TinyModels();
afterAll(() => models[Symbol.dispose]());

const load = (file: string) => loadEngine(file, plainSettings, { smallHere: true });
const threads = () => readdirSync('/proc/self/task').length;

/** `pixels.onnx`: 12 values in, 12 out. */
const PIXELS_WORK = 10 * 12;

function images(count: number, first = 0): NamedTensor {
  const data = Float32Array.from({ length: 12 * count }, (_, index) => first + index);
  return { name: 'image', type: 'float32', shape: [count, 3, 2, 2], data };
}

describe('itemWork', () => {
  it('counts multiply-adds, and ten for each value written', async () => {
    expect(await itemWork(models.pixels(), 1e6)).toBe(PIXELS_WORK);
    // By hand: 1,117,056 products (README); conv 16 x 28 x 28 twice (with ReLU), pooled 16 x 14 x 14, conv 32 x 14 x 14 twice, pooled 32 x 7 x 7 twice (flattened), 64 twice, 10.
    const values = 2 * 16 * 28 * 28 + 16 * 14 * 14 + 2 * 32 * 14 * 14 + 2 * 32 * 7 * 7 + 2 * 64 + 10;
    expect(await itemWork('models/mnist-cnn.onnx', 1e6)).toBe(1_117_056 + 10 * values);
  });

  it('knows nothing of a model that leaves more open than the batch, or is too large to look at', async () => {
    expect(await itemWork(models.slow(), 1e6)).toBeUndefined();
    expect(await itemWork(models.pixels(), 10)).toBeUndefined();
  });
});

describe('a small model', () => {
  it.runIf(process.platform === 'linux')(
    'computes on the thread of its caller up to so many items, and on another from there on',
    async () => {
      await using first = await load(models.pixels());
      expect(first.itemsHere).toBe(Math.floor(MOST_WORK_HERE / PIXELS_WORK));
      await first.run([images(1)]);
      const before = threads();
      await using engine = await load(models.pixels());
      await engine.run([images(engine.itemsHere)]);
      expect(threads()).toBe(before);
      const { outputs } = await engine.run([images(engine.itemsHere + 1)]);
      expect(threads()).toBeGreaterThan(before);
      expect(outputs[0]?.data).toEqual(images(engine.itemsHere + 1).data);
    },
  );

  it('gives the same answers on both, and the lent memory back', async () => {
    await using engine = await load(models.pixels());
    for (const count of [1, engine.itemsHere + 1]) {
      const input = images(count);
      const expected = Float32Array.from(input.data as Float32Array);
      const lent = (input.data as Float32Array).buffer as ArrayBuffer;
      const size = lent.byteLength;
      const { outputs, returned } = await engine.run([input], { lend: [lent] });
      expect(outputs).toEqual([{ name: 'scores', type: 'float32', shape: [count, 12], data: expected }]);
      expect(returned.map(({ byteLength }) => byteLength)).toEqual([size]);
    }
  });

  it('answers runs of both kinds in the order they came', async () => {
    await using engine = await load(models.pixels());
    const counts = [1, engine.itemsHere + 1, 1, 2, engine.itemsHere + 1, 1];
    const order: number[] = [];
    await Promise.all(
      counts.map(async (count, index) => {
        const { outputs } = await engine.run([images(count, index)]);
        order.push(index);
        expect(outputs[0]?.data[0]).toBe(index);
      }),
    );
    expect(order).toEqual(counts.map((_, index) => index));
  });

  it('counts a run from when the runtime turns to it, not from when it was asked', async () => {
    await using engine = await load(models.pixels());
    await engine.run([images(1)]);
    const run = engine.run([images(1)]);
    // The thread has something else to do first.
    const until = performance.now() + 50;
    while (performance.now() < until);
    const { queueUs, computeUs } = await run;
    expect(queueUs).toBeGreaterThanOrEqual(49_000);
    expect(computeUs).toBeLessThan(queueUs);
  });

  it('says what the runtime refuses, and runs nothing once it is disposed', async () => {
    const engine = await load(models.pixels());
    await expect(
      engine.run([{ name: 'image', type: 'float32', shape: [1, 12], data: new Float32Array(12) }]),
    ).rejects.toMatchObject({
      kind: 'inputs',
    });
    const last = engine.run([images(1)]);
    await engine[Symbol.asyncDispose]();
    expect((await last).outputs[0]?.data).toEqual(images(1).data);
    await expect(engine.run([images(1)])).rejects.toMatchObject({ kind: 'gone' });
    expect(await engine.ended).toBeUndefined();
  });

  it('is none where a run takes longer, or what it takes is not known', async () => {
    await using slow = await load(models.slow());
    expect(slow.itemsHere).toBe(0);
    await using unasked = await loadEngine(models.pixels(), plainSettings);
    expect(unasked.itemsHere).toBe(0);
  });
});
