import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../../src/models/index.ts';
import type { ImageDescription } from '../../src/models/types.ts';
import { packageFile } from '../../src/package-files.ts';
import { type RunningApp, startServer } from '../../src/server/index.ts';
import { plainSettings } from '../engine/tiny-models.ts';

const file = packageFile('models/mnist-cnn.onnx');
const images = readFileSync(packageFile('models/mnist-test-1000-images.idx')).subarray(16);
const labels = readFileSync(packageFile('models/mnist-test-1000-labels.idx')).subarray(8);
let server: RunningApp;
const failures: unknown[] = [];

beforeAll(async () => {
  const image = catalogue['mnist-cnn']?.image as ImageDescription;
  const { labels: _names, ...unnamed } = image;
  const models = [
    { name: 'mnist', file, engine: plainSettings, image },
    { name: 'unsure', file, engine: plainSettings, image: { ...unnamed, caveat: 'its weights are drawn' } },
    { name: 'tensors', file, engine: plainSettings },
  ];
  server = await startServer({ models, host: '127.0.0.1', port: 0 }, { onError: (error) => failures.push(error) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function digit(index: number): Promise<Buffer> {
  const pixels = images.subarray(index * 784, (index + 1) * 784);
  return await sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

async function classify(body: Uint8Array, path = '/v2/models/mnist/classify') {
  const response = await fetch(server.url + path, { method: 'POST', body: new Uint8Array(body) });
  return { status: response.status, timing: response.headers.get('server-timing'), json: await response.json() };
}

describe('an image is answered', () => {
  it('with labelled classes, as many as asked for, the likeliest first', async () => {
    const { status, json, timing } = await classify(await digit(150));
    expect(status).toBe(200);
    expect(json).toMatchObject({ model_name: 'mnist', model_version: '1' });
    const { predictions } = json as {
      predictions: { class: number; label: string; score: number; probability: number }[];
    };
    expect(predictions).toHaveLength(5);
    expect(predictions[0]).toMatchObject({ class: labels[150], label: String(labels[150]) });
    const ranked = predictions.map(({ score }) => score);
    expect(ranked).toEqual([...ranked].sort((a, b) => b - a));
    expect(timing).toMatch(/^decode;dur=[\d.]+, queue;dur=[\d.]+, compute;dur=[\d.]+$/);
    const top = await classify(await digit(150), '/v2/models/mnist/versions/1/classify?top=10&timeout=60000000');
    expect(
      (top.json as { predictions: { probability: number }[] }).predictions.reduce(
        (sum, { probability }) => sum + probability,
        0,
      ),
    ).toBeCloseTo(1, 5);
  });

  it('as the same pixels are that come as a tensor', async () => {
    const { json } = await classify(await digit(333), '/v2/models/mnist/classify?top=10');
    const pixels = [...images.subarray(333 * 784, 334 * 784)].map((value) => (value / 255 - 0.1307) / 0.3081);
    const inputs = [{ name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28], data: pixels }];
    const metadata = (await (await fetch(`${server.url}/v2/models/mnist`)).json()) as { inputs: { name: string }[] };
    const body = JSON.stringify({ inputs: inputs.map((input) => ({ ...input, name: metadata.inputs[0]?.name })) });
    const response = await fetch(`${server.url}/v2/models/mnist/infer`, { method: 'POST', body });
    const { outputs } = (await response.json()) as { outputs: { data: number[] }[] };
    const { predictions } = json as { predictions: { class: number; score: number }[] };
    for (const { class: index, score } of predictions) expect(score).toBeCloseTo(outputs[0]?.data[index] as number, 4);
  });

  it('over a connection that sends one after another, and many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => await classify(await digit(index * 25))),
    );
    const right = answers.filter(
      ({ json }, index) => (json as { predictions: { class: number }[] }).predictions[0]?.class === labels[index * 25],
    );
    expect(right.length).toBeGreaterThanOrEqual(38);
  });

  it('without labels where the classes have no names, and with what a user must know', async () => {
    const { json } = await classify(await digit(0), '/v2/models/unsure/classify?top=1');
    expect(json).toMatchObject({ caveat: 'its weights are drawn' });
    expect((json as { predictions: object[] }).predictions[0]).not.toHaveProperty('label');
  });

  it('as the metadata say', async () => {
    const { parameters } = (await (await fetch(`${server.url}/v2/models/mnist`)).json()) as {
      parameters: { image: object };
    };
    expect(parameters.image).toMatchObject({ channels: 'grey', mean: [0.1307], std: [0.3081], scale: 1 / 255 });
  });
});

describe('a request is refused in the form of the protocol', () => {
  it.each([
    ['of text', Buffer.from('hello'), undefined, 415, 'these 5 bytes are neither a JPEG nor a PNG file'],
    [
      'of a signature and no more',
      Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
      undefined,
      400,
      'the image cannot be decoded: ',
    ],
    [
      'to a model that takes tensors only',
      Buffer.from([0xff, 0xd8, 0xff]),
      '/v2/models/tensors/classify',
      400,
      'nothing says how images become the input of the model "tensors"; it takes tensors at /infer',
    ],
    ['to no model', Buffer.from('x'), '/v2/models/nobody/classify', 404, 'there is no model "nobody"'],
    [
      'with an unknown query',
      Buffer.from('x'),
      '/v2/models/mnist/classify?k=3',
      400,
      'the query has "k"; "top" and "timeout" are known',
    ],
    [
      'with a top that is no number',
      Buffer.from('x'),
      '/v2/models/mnist/classify?top=all',
      400,
      'the query has "all" as "top", where a whole number is expected',
    ],
  ])('%s', async (_name, body, path, status, sentence) => {
    const answer = await classify(body, path);
    expect(answer.status).toBe(status);
    expect((answer.json as { error: string }).error).toContain(sentence);
  });

  it('however an image is cut short or damaged, and the server goes on', async () => {
    const whole = await digit(7);
    const damaged = Array.from({ length: 60 }, (_, index) => {
      const copy = Uint8Array.from(whole);
      if (index % 2 === 0) return copy.subarray(0, 8 + index * 4);
      copy[8 + index * 3] = (copy[8 + index * 3] as number) ^ 0xff;
      return copy;
    });
    for (const body of damaged) {
      const { status, json } = await classify(body);
      if (status === 200) expect(json).toHaveProperty('predictions');
      else
        expect([status, typeof (json as { error: unknown }).error]).toEqual([expect.toBeOneOf([400, 413]), 'string']);
    }
    expect((await classify(whole)).status).toBe(200);
    expect(failures).toEqual([]);
  });
});
