import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Engine, InferenceError, type RunOptions } from '../../src/engine/index.ts';
import type { KserveError } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { BufferPool } from '../../src/server/buffer-pool.ts';
import { whyNotJoinable } from '../../src/server/model/batch-shapes.ts';
import { joinRequests, splitOutputs } from '../../src/server/model/join-requests.ts';
import { Scheduler } from '../../src/server/model/scheduler.ts';
import type { ServingSettings } from '../../src/server/types.ts';
import { monotonicNs, NS_PER_MS } from '../../src/units.ts';
import { plainSettings } from '../engine/tiny-models.ts';

/** An engine whose runs end when the test says so; its output is its input. */
class HeldEngine implements Engine {
  readonly inputs = [];
  readonly outputs = [];
  readonly settings = plainSettings;
  readonly itemsHere = 0;
  readonly ended = new Promise<undefined>(() => {});
  readonly runs: { readonly data: readonly number[]; readonly end: () => void }[] = [];
  fails: (data: readonly number[]) => boolean = () => false;

  run([input]: readonly NamedTensor[], { lend = [] }: RunOptions = {}) {
    const { shape, data } = input as NamedTensor;
    const values = [...(data as Float32Array)];
    return new Promise<Awaited<ReturnType<Engine['run']>>>((resolve, reject) => {
      const end = () => {
        if (this.fails(values)) return reject(new InferenceError('runtime', 'it failed'));
        const outputs = [{ name: 'y', type: 'float32' as const, shape, data: Float32Array.from(values) }];
        return resolve({ outputs, queueUs: 5, computeUs: 1000, returned: lend });
      };
      this.runs.push({ data: values, end });
    });
  }

  /** Ends the oldest run in progress and lets what follows from that happen. */
  async endOne(): Promise<void> {
    this.runs.shift()?.end();
    await new Promise((resolve) => setImmediate(resolve));
  }

  get running(): readonly (readonly number[])[] {
    return this.runs.map(({ data }) => data);
  }

  async [Symbol.asyncDispose]() {}
}

function setUp(settings: Omit<ServingSettings, 'engine'>, engines = [new HeldEngine()]) {
  const runs: number[] = [];
  const scheduler = new Scheduler(engines, { engine: plainSettings, ...settings }, new BufferPool(1e6), {
    onRun: (items) => runs.push(items),
  });
  const answers: (number[] | string)[] = [];
  const submit = (values: readonly number[], width = 1, deadlineNs?: number) => {
    const data = Float32Array.from(values);
    const tensors = [{ name: 'x', type: 'float32' as const, shape: [values.length / width, width], data }];
    void scheduler.submit({ tensors, outputs: ['y'], lend: [data.buffer], deadlineNs }).then(
      ({ outputs }) => answers.push(outputs.flatMap(({ data }) => [...(data as Float32Array)])),
      (error: KserveError) => answers.push(`${error.status}`),
    );
  };
  return { scheduler, engines, engine: engines[0] as HeldEngine, submit, answers, runs };
}

describe('without batching', () => {
  it('requests run alone and in order, one of them ready ahead of time', async () => {
    const { engine, submit, answers } = setUp({});
    for (const value of [1, 2, 3, 4]) submit([value]);
    expect(engine.running).toEqual([[1], [2]]);
    await engine.endOne();
    expect(engine.running).toEqual([[2], [3]]);
    for (let i = 0; i < 3; i++) await engine.endOne();
    expect(answers).toEqual([[1], [2], [3], [4]]);
  });

  it('every session has work before any has work ahead', async () => {
    const { engines, submit } = setUp({}, [new HeldEngine(), new HeldEngine()]);
    for (const value of [1, 2, 3]) submit([value]);
    expect(engines.map(({ running }) => running)).toEqual([[[1], [3]], [[2]]]);
  });
});

describe('dynamic batching', () => {
  it('joins what waits when a session is free, up to its size, and gives each its own answer', async () => {
    const { engine, submit, answers, runs } = setUp({ batching: { maxBatch: 3, maxQueueDelayMs: 0 } });
    submit([1]);
    for (const value of [2, 3, 4, 5]) submit([value]);
    // Of those that wait the first three fill a batch, which is handed over ahead of time; the fifth may still be joined.
    expect(engine.running).toEqual([[1], [2, 3, 4]]);
    await engine.endOne();
    submit([6]);
    await engine.endOne();
    expect(engine.running).toEqual([[5, 6]]);
    await engine.endOne();
    expect(answers).toEqual([[1], [2], [3], [4], [5], [6]]);
    expect(runs).toEqual([1, 3, 2]);
  });

  it('never mixes shapes, nor requests for different outputs, and starves none', async () => {
    const { engine, submit, answers } = setUp({ batching: { maxBatch: 4, maxQueueDelayMs: 0 } });
    submit([0]);
    submit([1]);
    submit([10, 10], 2);
    submit([2]);
    submit([20, 20], 2);
    await engine.endOne();
    expect(engine.running).toEqual([[1, 2]]);
    await engine.endOne();
    expect(engine.running).toEqual([[10, 10, 20, 20]]);
    await engine.endOne();
    expect(answers).toEqual([[0], [1], [2], [10, 10], [20, 20]]);
  });

  it('counts items, not requests, and runs a request over the size alone', async () => {
    const { engine, submit } = setUp({ batching: { maxBatch: 4, maxQueueDelayMs: 0 } });
    submit([0]);
    submit([1, 1, 1]);
    submit([2, 2]);
    submit([3, 3, 3, 3, 3, 3]);
    // Three and two do not go together into four: the first is as full as it gets.
    expect(engine.running).toEqual([[0], [1, 1, 1]]);
    await engine.endOne();
    expect(engine.running).toEqual([
      [1, 1, 1],
      [2, 2],
    ]);
    await engine.endOne();
    expect(engine.running).toEqual([
      [2, 2],
      [3, 3, 3, 3, 3, 3],
    ]);
  });

  it('waits for others no longer than the delay, and not at all once the batch is full', async () => {
    const { engine, submit } = setUp({ batching: { maxBatch: 2, maxQueueDelayMs: 40 } });
    const startNs = monotonicNs();
    submit([1]);
    expect(engine.running).toEqual([]);
    await expect.poll(() => engine.running, { interval: 1 }).toEqual([[1]]);
    expect((monotonicNs() - startNs) / NS_PER_MS).toBeGreaterThanOrEqual(39);
    await engine.endOne();
    submit([2]);
    submit([3]);
    expect(engine.running).toEqual([[2, 3]]);
  });

  it('does not wait once a preferred size is reached', () => {
    const { engine, submit } = setUp({
      batching: { maxBatch: 8, maxQueueDelayMs: 10_000, preferredBatches: [2, 4] },
    });
    submit([1]);
    expect(engine.running).toEqual([]);
    submit([2]);
    expect(engine.running).toEqual([[1, 2]]);
  });

  it('does not let one request spoil the answers of those it was joined with', async () => {
    const { engine, submit, answers } = setUp({ batching: { maxBatch: 4, maxQueueDelayMs: 0 } });
    engine.fails = (data) => data.includes(13);
    submit([0]);
    for (const value of [1, 13, 2]) submit([value]);
    for (let i = 0; i < 5; i++) await engine.endOne();
    expect(answers).toEqual([[0], [1], '500', [2]]);
  });
});

describe('limits', () => {
  it('refuse a request where too many wait, and say when to come again', async () => {
    const { scheduler, engine, submit, answers } = setUp({ maxQueue: 1 });
    for (const value of [1, 2, 3]) submit([value]);
    expect(scheduler.queueLength).toBe(1);
    const refused = scheduler.submit({ tensors: [], outputs: [], lend: [] });
    await expect(refused).rejects.toMatchObject({ status: 429, retryAfterS: 1 });
    for (let i = 0; i < 3; i++) await engine.endOne();
    expect(answers).toEqual([[1], [2], [3]]);
  });

  it('keep no timer for a request that was started on, however far its deadline', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { submit } = setUp({});
    submit([1], 1, monotonicNs() + 3_600_000 * NS_PER_MS);
    expect(vi.getTimerCount()).toBe(0);
    submit([2], 1, monotonicNs() + 3_600_000 * NS_PER_MS);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('drop at its deadline what was not started, and only that', async () => {
    const { engine, submit, answers } = setUp({});
    submit([1], 1, monotonicNs() + 30 * NS_PER_MS);
    submit([2], 1, monotonicNs() + 30 * NS_PER_MS);
    submit([3], 1, monotonicNs() - 1);
    // Nothing that has a deadline is handed to a busy session, where it could not be dropped any more.
    expect(engine.running).toEqual([[1]]);
    await expect.poll(() => answers).toEqual(['504', '504']);
    await engine.endOne();
    expect(answers).toEqual(['504', '504', [1]]);
    expect(engine.running).toEqual([]);
  });
});

describe('joining and splitting', () => {
  it('are each other’s inverse for any sizes', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 3 }), (items, width) => {
        let next = 0;
        const requests = items.map((count) => [
          {
            name: 'x',
            type: 'float32',
            shape: [count, width],
            data: new Float32Array(count * width).map(() => next++),
          },
          { name: 's', type: 'string', shape: [count], data: Array.from({ length: count }, () => `${next++}`) },
        ]) as NamedTensor[][];
        const { tensors } = joinRequests(requests, new BufferPool(0));
        expect(splitOutputs(tensors, items)).toEqual(requests);
      }),
    );
  });

  it('refuse outputs that do not hold an item for each', () => {
    const output: NamedTensor = { name: 'y', type: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) };
    expect(() => splitOutputs([output], [1, 1])).toThrow('the output "y" of shape [1,2] does not hold 2 items');
  });

  it.each([
    [[1, 3], 'has no open first dimension'],
    [['n', 'n'], 'has its first dimension twice'],
    [['n', 3], undefined],
    [['dim0', 'dim1'], undefined],
  ] as const)('are possible only where the first dimension is open and alone (%j)', (shape, why) => {
    const specs = [{ name: 'x', type: 'float32' as const, shape }];
    const found = whyNotJoinable({ inputs: specs, outputs: specs });
    if (why === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(why);
  });
});
