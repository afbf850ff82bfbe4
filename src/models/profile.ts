import { makeSampleBatches } from './samples.ts';
import type { ResolvedModel } from './types.ts';

/** What a model does with nothing around it: no server, no protocol, no load. */
export interface ModelProfile {
  /** Median time of one item, milliseconds, on one thread. */
  readonly bareLatencyMs: number;
  /** Highest rate of items over the batches tried, inferences/s, on one thread. */
  readonly bareThroughputIps: number;
}

const BATCHES = [1, 4, 16];
const SECONDS_A_BATCH = 0.2;
const FEWEST_RUNS = 5;
const SEED = 1;

/**
 * Times a model in this process with onnxruntime, all graph optimisations, one thread: batches of 1, 4 and 16 items, or the one batch that the file is fixed to.
 *
 * Each batch is run for about a fifth of a second and at least five times, after one run that is not counted; its time is the median.
 * @param batches - the batches to time where the file leaves them open; the first gives the latency
 * @throws ModelError if onnxruntime refuses the model, or no input can be made for it
 */
export async function profileModel(
  { file, inputs, dataset, dims }: ResolvedModel,
  batches: readonly number[] = BATCHES,
): Promise<ModelProfile> {
  const { openFileRunner } = await import('./runner.ts');
  await using runner = await openFileRunner(file);
  const fixed = inputs.map(({ shape: [first] }) => first).find((size) => typeof size === 'number');
  const timings: { batch: number; ms: number }[] = [];
  for (const batch of fixed === undefined ? batches : [fixed]) {
    const [sample] = makeSampleBatches(inputs, { batch, count: 1, seed: SEED, dataset, dims });
    const feed = sample?.tensors ?? [];
    await runner.run(feed);
    const times: number[] = [];
    for (const startMs = performance.now(); ; ) {
      const beforeMs = performance.now();
      await runner.run(feed);
      const afterMs = performance.now();
      times.push(afterMs - beforeMs);
      if (times.length >= FEWEST_RUNS && afterMs - startMs >= SECONDS_A_BATCH * 1000) break;
    }
    timings.push({ batch, ms: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN });
  }
  const [single] = timings;
  return {
    bareLatencyMs: (single?.ms ?? Number.NaN) / (single?.batch ?? 1),
    bareThroughputIps: Math.max(...timings.map(({ batch, ms }) => (1000 * batch) / ms)),
  };
}
