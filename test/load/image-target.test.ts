import sharp from 'sharp';
import { expect, test } from 'vitest';
import { prepareImageTarget } from '../../src/load/generator/image-target.ts';
import type { LoadTarget } from '../../src/load/types.ts';
import { makeSampleBatches, resolveModel } from '../../src/models/index.ts';

const mnist = await resolveModel('mnist-cnn', 'fp32', { baseDir: '.', cacheDir: '.' });

const target = (changes: object = {}): Extract<LoadTarget, { kind: 'kserve' }> => ({
  ...{ kind: 'kserve', url: 'http://127.0.0.1:9', modelName: 'm', protocol: 'image', batch: 1, dims: {}, seed: 5 },
  ...{ inputs: mnist.inputs, dataset: mnist.dataset, image: mnist.image },
  ...changes,
});

const bodyOf = (bytes: Buffer) => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);

test('labelled samples are sent as PNG files, each once, in the order of the tensors', async () => {
  const { requests } = await prepareImageTarget(target());
  const tensors = makeSampleBatches(mnist.inputs, { batch: 1, count: 1000, seed: 5, dataset: mnist.dataset });
  expect(requests).toHaveLength(1000);
  expect(requests.map(({ labels }) => labels)).toEqual(tensors.map(({ labels }) => labels));
  expect(requests[0]?.bytes.toString('latin1')).toMatch(
    /^POST \/v2\/models\/m\/classify HTTP\/1.1\r\nHost: 127.0.0.1:9\r\nContent-Length: \d+\r\n\r\n\x89PNG/,
  );
  const pixels = await sharp(bodyOf(requests[7]?.bytes as Buffer))
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  const values = tensors[7]?.tensors[0]?.data as Float32Array;
  for (const [index, value] of values.entries())
    expect((pixels[index] as number) / 255).toBeCloseTo(value * 0.3081 + 0.1307, 5);
});

test('a model without samples is sent the same random photographs for the same seed', async () => {
  const squeezenet = {
    dataset: undefined,
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 224, 224] }],
    image: { ...mnist.image, channels: 'rgb' },
  };
  const [one, again, other] = await Promise.all(
    [1, 1, 2].map((seed) => prepareImageTarget(target({ ...squeezenet, seed }))),
  );
  const bytes = (prepared: typeof one) => prepared?.requests.map((request) => request.bytes.toString('base64'));
  expect(bytes(one)).toEqual(bytes(again));
  expect(new Set(bytes(one)).size).toBe(16);
  expect(bytes(one)).not.toEqual(bytes(other));
  expect(await sharp(bodyOf(one?.requests[0]?.bytes as Buffer)).metadata()).toMatchObject({
    format: 'jpeg',
    width: 500,
    height: 375,
  });
});

test('an answer is right where the label is its first class, or one of its first five', async () => {
  const { requests, judge } = await prepareImageTarget(target({ distinct: 1 }));
  const [request] = requests;
  const label = request?.labels?.[0] as number;
  const others = [...Array(10).keys()].filter((digit) => digit !== label);
  const judged = (...classes: readonly unknown[]) =>
    request &&
    judge?.(request, [], Buffer.from(JSON.stringify({ predictions: classes.map((one) => ({ class: one })) })));
  expect(judged(label, ...others)).toEqual({ isAnswer: true, top1Correct: 1, top5Correct: 1 });
  expect(judged(...others.slice(0, 4), label)).toEqual({ isAnswer: true, top1Correct: 0, top5Correct: 1 });
  expect(judged(...others.slice(0, 5), label)).toEqual({ isAnswer: true, top1Correct: 0, top5Correct: 0 });
  expect(judged()).toMatchObject({ isAnswer: false });
  expect(judged('cat')).toMatchObject({ isAnswer: false });
});

test('a batch, and a model of which nothing is said, are refused', async () => {
  await expect(prepareImageTarget(target({ batch: 2 }))).rejects.toThrow('a batch of 2 cannot be sent as images');
  await expect(prepareImageTarget(target({ image: undefined }))).rejects.toThrow(
    'nothing says how images become its input',
  );
});
