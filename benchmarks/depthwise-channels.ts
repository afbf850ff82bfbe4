/**
 * How long a depthwise separable block takes by its number of channels: 1x1 up, 3x3 depthwise, 1x1 down, over 14x14 maps of 8 and 12 channels, batches of 8, one thread.
 *
 *     npm run bench benchmarks/depthwise-channels.ts
 *
 * Prints the median of each count, and the mean of the counts that are multiples of 4 over that of the others. `blockOf` in src/models/prune/filters.ts rests on it.
 */
import '../src/no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../src/models/graph-builder.ts';
import { writeOnnx } from '../src/models/onnx-file.ts';
import { drawWeights } from '../src/models/synthetic-weights.ts';

const COUNTS = Array.from({ length: 33 }, (_, index) => 8 + index);
const SIDE = 14;
const BATCH = 8;
const ROUNDS = 5;
const RUNS = 60;

for (const width of [8, 12]) {
  const blocks = await Promise.all(
    COUNTS.map(async (count) => ({ count, session: await open(width, count), timesMs: [] as number[] })),
  );
  const input = new Tensor('float32', new Float32Array(BATCH * width * SIDE ** 2).fill(0.5), [
    BATCH,
    width,
    SIDE,
    SIDE,
  ]);
  // Round by round, so that a slow moment of the machine falls on all counts.
  for (let round = 0; round < ROUNDS; round++) {
    for (const { session, timesMs } of blocks) {
      for (let run = 0; run < RUNS; run++) {
        const startMs = performance.now();
        await session.run({ input });
        timesMs.push(performance.now() - startMs);
      }
    }
  }
  const medians = blocks.map(({ count, timesMs }) => ({
    count,
    ms: timesMs.toSorted((a, b) => a - b)[timesMs.length >> 1] ?? Number.NaN,
  }));
  process.stdout.write(`${width} channels around; channels within and ms: `);
  process.stdout.write(`${medians.map(({ count, ms }) => `${count} ${ms.toFixed(3)}`).join(', ')}\n`);
  const mean = (isFast: boolean) => {
    const own = medians.filter(({ count }) => (count % 4 === 0) === isFast);
    return own.reduce((sum, { ms }) => sum + ms, 0) / own.length;
  };
  process.stdout.write(`multiples of 4 over others: ${(mean(true) / mean(false)).toFixed(2)}\n`);
}

function open(width: number, count: number): Promise<InferenceSession> {
  const graph = new GraphBuilder('separable');
  const conv = (
    name: string,
    input: string,
    shape: readonly number[],
    attributes: Record<string, number | number[]>,
  ) => {
    const size = shape.reduce((product, each) => product * each, 1);
    const weights = graph.floats(`${name}.weight`, shape, drawWeights(1, name, size, 0, 0.3));
    return graph.node('Conv', name, [input, weights], attributes, name);
  };
  const input = graph.input('input', 'float32', ['batch', width, SIDE, SIDE]);
  const wide = graph.node('Relu', 'wide.relu', [conv('wide', input, [count, width, 1, 1], {})]);
  const deep = conv('deep', wide, [count, 1, 3, 3], { pads: [1, 1, 1, 1], group: count });
  conv('narrow', graph.node('Relu', 'deep.relu', [deep]), [width, count, 1, 1], {});
  graph.output('narrow', 'float32', ['batch', width, SIDE, SIDE]);
  return InferenceSession.create(writeOnnx(graph.build({})), { graphOptimizationLevel: 'all', intraOpNumThreads: 1 });
}
