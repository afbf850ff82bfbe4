import { createHash } from 'node:crypto';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { bertTiny, miniLmL6 } from '../../src/models/architectures/bert.ts';
import { catalogue } from '../../src/models/catalogue.ts';
import type { SyntheticEntry } from '../../src/models/catalogue-entry.ts';
import { countCost } from '../../src/models/cost.ts';
import { inferGraph } from '../../src/models/inference/infer-graph.ts';
import { type OnnxModel, readOnnx, writeOnnx } from '../../src/models/onnx-file.ts';
import { countParameters } from '../../src/models/parameters.ts';
import { makeSampleBatches } from '../../src/models/samples.ts';
import { inputSpecs, outputSpecs } from '../../src/models/tensor-specs.ts';

/** Shape of the model's first output as `inferGraph` works it out. */
function inferredShape(model: OnnxModel, sizes: Readonly<Record<string, number>>) {
  const { graph } = model;
  const [output] = graph.output;
  const nodes = inferGraph(graph, inputSpecs(graph, 'test'), new Map(Object.entries(sizes)), 'test');
  expect(nodes.every(({ shapes }) => shapes[0] !== undefined)).toBe(true);
  return nodes.find(({ node }) => node.output[0] === output?.name)?.shapes[0];
}

/** Parameters and multiply-adds in 10^9 from torchvision's documentation; of MobileNetV2 at half width from its paper (arXiv 1801.04381, figure 5 and the released checkpoints). */
const published = {
  'squeezenet1.1': { params: 1_235_496, gigaMacs: 0.35 },
  'squeezenet1.0': { params: 1_248_424, gigaMacs: 0.82 },
  mobilenetv2: { params: 3_504_872, gigaMacs: 0.3 },
  'mobilenetv2-0.5': { params: 1_968_680, gigaMacs: 0.097 },
  resnet18: { params: 11_689_512, gigaMacs: 1.81 },
  resnet34: { params: 21_797_672, gigaMacs: 3.66 },
  resnet50: { params: 25_557_032, gigaMacs: 4.09 },
  densenet121: { params: 7_978_856, gigaMacs: 2.83 },
};

/**
 * Parameters as published with the checkpoints (google/bert_uncased_L-2_H-128_A-2, MiniLM-L6-H384-uncased); multiply-adds counted by hand from the papers' sizes: for T tokens, width W
 * and inner width I a layer has T (4 W W + 2 W I) in its weights and 2 T T W in its attention, and the pooler W W.
 */
const publishedText = {
  'bert-tiny': { params: 4_385_920, macs: 2 * (128 * (4 * 128 ** 2 + 2 * 128 * 512) + 2 * 128 ** 2 * 128) + 128 ** 2 },
  'minilm-l6': {
    params: 22_713_216,
    macs: 6 * (128 * (4 * 384 ** 2 + 2 * 384 * 1536) + 2 * 128 ** 2 * 384) + 384 ** 2,
  },
};

/** Multiply-adds of a square convolution, and of a matrix product with its input. */
const conv = (size: number, kernel: number, from: number, to: number) => size ** 2 * kernel ** 2 * from * to;

/** Of DenseNet-40 with growth 12 over images of a size and number of channels: three blocks of twelve 3x3 convolutions, each over all that came before it. */
function densenet40Macs(size: number, channels: number): number {
  let macs = conv(size, 3, channels, 16);
  let width = 16;
  for (const block of [1, 2, 3]) {
    const rows = Math.floor(size / 2 ** (block - 1));
    for (let layer = 0; layer < 12; layer++, width += 12) macs += conv(rows, 3, width, 12);
    if (block < 3) macs += conv(rows, 1, width, width);
  }
  return macs + width * 10;
}

/** Of ResNet-20: a stem, six 3x3 convolutions a stage at half the size and twice the width each time, and two projections. */
function resnet20Macs(size: number, channels: number): number {
  const [first, second, third] = [size, size / 2, size / 4];
  return (
    conv(first, 3, channels, 16) +
    6 * conv(first, 3, 16, 16) +
    (conv(second, 3, 16, 32) + 5 * conv(second, 3, 32, 32) + conv(second, 1, 16, 32)) +
    (conv(third, 3, 32, 64) + 5 * conv(third, 3, 64, 64) + conv(third, 1, 32, 64)) +
    64 * 10
  );
}

/** InceptionTime's six modules of convolutions of 10, 20 and 40 over 32 channels, a pooled path, bottlenecks but in the first, and two shortcuts. */
const inceptionMacs = 128 * (70 * 32 + 32 + 5 * (128 * 32 + 70 * 32 * 32 + 128 * 32) + 128 + 128 * 128) + 128 * 5;

/**
 * Parameters: ResNet-20 0.27 M (arXiv 1512.03385, table 6), DenseNet-40 1.0 M (arXiv 1608.06993, table 2), MobileNetV2 as published less 990 of its 1000 classes,
 * InceptionTime 420,192 before its last layer (LITE, DSAA 2023, table 2), LSTM as PyTorch's nn.LSTM(1, 128, num_layers=2) counts them. One colour channel less is
 * two filters' planes less. Multiply-adds counted by hand from the papers' sizes; of MobileNetV2 they follow from its table at the larger feature maps and are pinned.
 */
const small = {
  'resnet20-32': { params: 272_474, macs: resnet20Macs(32, 3), shape: ['batch', 3, 32, 32], classes: 10 },
  'resnet20-28': { params: 272_474 - 2 * 9 * 16, macs: resnet20Macs(28, 1), shape: ['batch', 1, 28, 28], classes: 10 },
  'densenet40-32': { params: 1_019_722, macs: densenet40Macs(32, 3), shape: ['batch', 3, 32, 32], classes: 10 },
  'densenet40-28': {
    params: 1_019_722 - 2 * 9 * 16,
    macs: densenet40Macs(28, 1),
    shape: ['batch', 1, 28, 28],
    classes: 10,
  },
  'mobilenetv2-32': { params: 3_504_872 - 990 * 1281, macs: 87_976_448, shape: ['batch', 3, 32, 32], classes: 10 },
  'mobilenetv2-28': {
    params: 3_504_872 - 990 * 1281 - 2 * 9 * 32,
    macs: 72_938_624,
    shape: ['batch', 1, 28, 28],
    classes: 10,
  },
  inceptiontime: { params: 420_192 + 129 * 5, macs: inceptionMacs, shape: ['batch', 1, 'sequence'], classes: 5 },
  lstm: {
    params: 4 * 128 * (1 + 128 + 2) + 4 * 128 * (128 + 128 + 2) + 129 * 5,
    macs: 128 * 4 * 128 * (1 + 128 + 128 + 128) + 128 * 5,
    shape: ['batch', 1, 'sequence'],
    classes: 5,
  },
};

test('every synthetic model of the catalogue is held to published figures', () => {
  const synthetic = Object.entries(catalogue).filter(([, { isSynthetic }]) => isSynthetic);
  expect(synthetic.map(([name]) => name).sort()).toEqual(
    [...Object.keys(published), ...Object.keys(publishedText), ...Object.keys(small)].sort(),
  );
});

describe.each(Object.entries(published))('%s', async (name, { params, gigaMacs }) => {
  const entry = catalogue[name] as SyntheticEntry;
  const bytes = writeOnnx(await entry.build(entry.seed));
  const model = readOnnx(bytes, name);
  const inputs = inputSpecs(model.graph, name);

  test('has the parameters that were published, to the last one', () => {
    expect(countParameters(model.graph)).toBe(params);
  });

  test('has the multiply-adds that were published, within 1 %', () => {
    const ratio = (countCost(model, name).macs ?? 0) / 1e9 / gigaMacs;
    expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
  });

  test('gives the same bytes from the same seed, those of the catalogue', () => {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(entry.sha256);
  });

  test('says in its metadata that its weights are synthetic, and from which seed', () => {
    expect(model.metadataProps).toEqual([
      { key: 'dse.synthetic_weights', value: 'true' },
      { key: 'dse.seed', value: String(entry.seed) },
    ]);
  });

  test('takes images and gives logits, with an open batch', () => {
    expect(inputs).toEqual([{ name: 'input', type: 'float32', shape: ['batch', 3, 224, 224] }]);
    expect(outputSpecs(model.graph, name)).toEqual([{ name: 'logits', type: 'float32', shape: ['batch', 1000] }]);
  });

  test('is answered by onnxruntime, fully optimised, with finite numbers of ordinary size at batches 1, 3 and 8', async () => {
    const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'all', intraOpNumThreads: 1 });
    for (const batch of [1, 3, 8]) {
      const [sample] = makeSampleBatches(inputs, { batch, count: 1, seed: batch });
      const { data, shape } = sample?.tensors[0] ?? { data: [], shape: [] };
      const { logits } = await session.run({ input: new ort.Tensor('float32', data as Float32Array, shape) });
      const answers = logits?.data as Float32Array;
      expect(logits?.dims).toEqual([batch, 1000]);
      expect(inferredShape(model, { batch })).toEqual([batch, 1000]);
      expect(answers.every(Number.isFinite)).toBe(true);
      expect(Math.max(...answers)).toBeLessThan(1e3);
      expect(new Set(answers).size).toBeGreaterThan(batch * 100);
    }
    await session.release();
  });

  test('comes back from reading and writing byte for byte', () => {
    expect(Buffer.compare(writeOnnx(readOnnx(bytes, name)), bytes)).toBe(0);
  });
});

test('another seed gives other weights', async () => {
  const entry = catalogue['squeezenet1.1'] as SyntheticEntry;
  const weights = async (seed: number) => (await entry.build(seed)).graph?.initializer[0]?.rawData;
  expect(await weights(1)).toEqual(await weights(1));
  expect(await weights(1)).not.toEqual(await weights(2));
});

describe.each(Object.entries(publishedText))('%s', async (name, { params, macs }) => {
  const entry = catalogue[name] as SyntheticEntry;
  const bytes = writeOnnx(await entry.build(entry.seed));
  const model = readOnnx(bytes, name);

  test('has the parameters and multiply-adds that follow from its paper, to the last one, and the bytes of the catalogue', () => {
    expect(countParameters(model.graph)).toBe(params);
    expect(countCost(model, name).macs).toBe(macs);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(entry.sha256);
  });

  test('costs what a text of 64 tokens costs where such are asked for', () => {
    const { layers, width, inner } = name === 'bert-tiny' ? bertTiny : miniLmL6;
    const ofLayer = 64 * (4 * width ** 2 + 2 * width * inner) + 2 * 64 ** 2 * width;
    expect(countCost(model, name, { sequence: 64 }).macs).toBe(layers * ofLayer + width ** 2);
  });

  test('answers texts of several lengths with finite numbers at batches 1, 3 and 8, and not all with the same', async () => {
    const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'all', intraOpNumThreads: 1 });
    for (const [batch, sequence] of [
      [1, 16],
      [3, 128],
      [8, 33],
    ] as const) {
      const options = { batch, count: 1, seed: batch, dims: { sequence } };
      const [sample] = makeSampleBatches(inputSpecs(model.graph, name), options);
      const feeds = (sample?.tensors ?? []).map(({ name: key, type, data, shape }) => [
        key,
        new ort.Tensor(type, data as never, shape),
      ]);
      const { pooled } = await session.run(Object.fromEntries(feeds));
      const answers = pooled?.data as Float32Array;
      expect(pooled?.dims[0]).toBe(batch);
      expect(inferredShape(model, { batch, sequence })).toEqual(pooled?.dims);
      expect(answers.every(Number.isFinite)).toBe(true);
      expect(new Set(answers).size).toBeGreaterThan(answers.length / 2);
    }
    await session.release();
  });
});

describe.each(Object.entries(small))('%s', async (name, { params, macs, shape, classes }) => {
  const entry = catalogue[name] as SyntheticEntry;
  const bytes = writeOnnx(await entry.build(entry.seed));
  const model = readOnnx(bytes, name);

  test('has the parameters and multiply-adds that follow from its paper, to the last one, and the bytes of the catalogue', () => {
    expect(countParameters(model.graph)).toBe(params);
    expect(countCost(model, name).macs).toBe(macs);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(entry.sha256);
  });

  test('answers with finite numbers at batches 1, 3 and 8, and series of several lengths', async () => {
    const inputs = inputSpecs(model.graph, name);
    expect(inputs).toEqual([{ name: 'input', type: 'float32', shape }]);
    const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'all', intraOpNumThreads: 1 });
    for (const batch of [1, 3, 8]) {
      const [sample] = makeSampleBatches(inputs, { batch, count: 1, seed: batch, dims: { sequence: 40 + batch } });
      const { data = [], shape: own = [] } = sample?.tensors[0] ?? {};
      const { logits } = await session.run({ input: new ort.Tensor('float32', data as Float32Array, own) });
      const answers = logits?.data as Float32Array;
      expect(logits?.dims).toEqual([batch, classes]);
      expect(inferredShape(model, { batch, sequence: 40 + batch })).toEqual([batch, classes]);
      expect(answers.every(Number.isFinite)).toBe(true);
      expect(new Set(answers).size).toBeGreaterThan((batch * classes) / 2);
    }
    await session.release();
  });
});
