import { createHash } from 'node:crypto';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { catalogue, type SyntheticEntry } from '../../src/models/catalogue.ts';
import { countCost } from '../../src/models/cost.ts';
import { readOnnx, writeOnnx } from '../../src/models/onnx-file.ts';
import { countParameters } from '../../src/models/parameters.ts';
import { makeSampleBatches } from '../../src/models/samples.ts';
import { inputSpecs, outputSpecs } from '../../src/models/tensor-specs.ts';

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

test('every synthetic model of the catalogue is held to published figures', () => {
  const synthetic = Object.entries(catalogue).filter(([, { isSynthetic }]) => isSynthetic);
  expect(synthetic.map(([name]) => name).sort()).toEqual(
    [...Object.keys(published), ...Object.keys(publishedText)].sort(),
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

  test('answers texts with finite numbers at batches 1, 3 and 8, and not all with the same', async () => {
    const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'all', intraOpNumThreads: 1 });
    for (const batch of [1, 3, 8]) {
      const [sample] = makeSampleBatches(inputSpecs(model.graph, name), { batch, count: 1, seed: batch });
      const feeds = (sample?.tensors ?? []).map(({ name: key, type, data, shape }) => [
        key,
        new ort.Tensor(type, data as never, shape),
      ]);
      const { pooled } = await session.run(Object.fromEntries(feeds));
      const answers = pooled?.data as Float32Array;
      expect(pooled?.dims[0]).toBe(batch);
      expect(answers.every(Number.isFinite)).toBe(true);
      expect(new Set(answers).size).toBeGreaterThan(answers.length / 2);
    }
    await session.release();
  });
});
