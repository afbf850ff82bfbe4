import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeInferResponse, decodeModelMetadata, encodeInferRequest } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { type RunningApp, startServer } from '../../src/server/index.ts';
import { allTypes, plainSettings, TinyModels } from '../engine/tiny-models.ts';
import { exchange, settingsFor } from './server-rig.ts';

const models = new TinyModels();
const BODY_LIMIT = 100_000;
let server: RunningApp;
const failures: unknown[] = [];

beforeAll(async () => {
  const settings = settingsFor(models.add(), { bodyLimitBytes: BODY_LIMIT });
  server = await startServer(settings, { onError: (error) => failures.push(error) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  models[Symbol.dispose]();
});

function floats(name: string, values: readonly number[]): NamedTensor {
  return { name, type: 'float32', shape: [values.length / 3, 3], data: Float32Array.from(values) };
}

const tensors = [floats('a', [1, 2, 3]), floats('b', [10, 20, 30])];
const inferPath = '/v2/models/tiny/infer';

async function get(path: string): Promise<{ status: number; json: unknown }> {
  const response = await fetch(server.url + path);
  return { status: response.status, json: await response.json() };
}

async function post(
  path: string,
  headers: Record<string, string>,
  body: Uint8Array<ArrayBuffer> | string,
  to = server,
) {
  const response = await fetch(to.url + path, { method: 'POST', headers, body });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: Object.fromEntries(response.headers), bytes };
}

async function expectStillServing(): Promise<void> {
  const { headers, body } = encodeInferRequest('rest-binary', tensors);
  const answer = await post(inferPath, headers, body);
  expect(decodeInferResponse(answer.headers, answer.bytes).outputs[0]?.data).toEqual(Float32Array.of(11, 22, 33));
}

describe('health and metadata', () => {
  it('are answered as the protocol has them', async () => {
    expect(await get('/v2')).toMatchObject({
      status: 200,
      json: {
        name: 'dse',
        extensions: ['binary_tensor_data', 'model_repository', 'image_classification'],
        parameters: { max_loaded: 'off', body_limit_bytes: BODY_LIMIT },
      },
    });
    expect(await get('/v2/')).toMatchObject({ status: 200 });
    expect(await get('/v2/health/live')).toEqual({ status: 200, json: { live: true } });
    expect(await get('/v2/health/ready')).toEqual({ status: 200, json: { live: true, ready: true } });
    expect(await get('/v2/models/tiny/ready')).toEqual({ status: 200, json: { name: 'tiny', ready: true } });
    expect(await get('/v2/models/tiny/versions/1/ready')).toMatchObject({ status: 200 });
  });

  it('tell the settings the runtime was given', async () => {
    const { json } = await get('/v2/models/tiny');
    expect(json).toEqual({
      name: 'tiny',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [-1, 3] },
        { name: 'b', datatype: 'FP32', shape: [-1, 3] },
      ],
      outputs: [{ name: 'sum', datatype: 'FP32', shape: [-1, 3] }],
      parameters: {
        intra_op_threads: plainSettings.intraOpThreads,
        inter_op_threads: 1,
        execution_mode: 'sequential',
        graph_optimization: 'all',
        spinning: false,
        instances: 1,
        max_batch: 'off',
        max_queue_delay_ms: 0,
        preferred_batches: [],
        max_queue: 1000,
        deadline_ms: 'off',
        cache: 'off',
        load_ms: expect.any(Number),
        warm_up_ms: expect.any(Number),
        load_memory_mb: expect.any(Number),
        server_thread_items: expect.any(Number),
      },
    });
    expect(await get('/v2/models/tiny/versions/1')).toEqual({ status: 200, json });
    expect(decodeModelMetadata(Buffer.from(JSON.stringify(json))).name).toBe('tiny');
  });

  it.each([
    ['/v2/models/other', 'there is no model "other"; this server has "tiny"'],
    ['/v2/models/tiny/versions/2', 'the model "tiny" has no version "2"; it has "1"'],
    ['/v3', 'there is no GET "/v3" on this server'],
  ])('of what is not there are a 404 (%s)', async (path, error) => {
    expect(await get(path)).toEqual({ status: 404, json: { error } });
  });
});

describe('inference', () => {
  it.each(['rest-json', 'rest-binary'] as const)('in %s gives the outputs, the id and the times', async (protocol) => {
    const { headers, body } = encodeInferRequest(protocol, tensors, { id: 'seven' });
    const answer = await post(inferPath, headers, body);
    expect(answer.status).toBe(200);
    expect(decodeInferResponse(answer.headers, answer.bytes)).toEqual({
      modelName: 'tiny',
      modelVersion: '1',
      id: 'seven',
      outputs: [floats('sum', [11, 22, 33])],
    });
    expect(answer.headers['server-timing']).toMatch(
      /^decode;dur=\d+\.\d{3}, queue;dur=\d+\.\d{3}, compute;dur=\d+\.\d{3}$/,
    );
    expect('inference-header-content-length' in answer.headers).toBe(protocol === 'rest-binary');
  });

  it('takes what curl sends: any content type, nested data, any order of inputs', async () => {
    const request = {
      inputs: [
        {
          name: 'b',
          shape: [2, 3],
          datatype: 'FP32',
          data: [
            [1, 1, 1],
            [2, 2, 2],
          ],
        },
        { name: 'a', shape: [2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] },
      ],
    };
    for (const type of [
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-8',
      'application/octet-stream',
    ]) {
      const answer = await post('/v2/models/tiny/versions/1/infer', { 'content-type': type }, JSON.stringify(request));
      expect(JSON.parse(Buffer.from(answer.bytes).toString()).outputs).toEqual([
        { name: 'sum', shape: [2, 3], datatype: 'FP32', data: [2, 3, 4, 6, 7, 8] },
      ]);
    }
  });

  it('takes binary data whose JSON header has any length', async () => {
    for (const padding of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const json = JSON.stringify({
        id: 'x'.repeat(padding),
        inputs: tensors.map(({ name, shape }) => ({
          name,
          shape,
          datatype: 'FP32',
          parameters: { binary_data_size: 12 },
        })),
      });
      const data = tensors.map((tensor) => Buffer.from((tensor.data as Float32Array).buffer));
      const body = new Uint8Array(Buffer.concat([Buffer.from(json), ...data]));
      const answer = await post(inferPath, { 'inference-header-content-length': String(json.length) }, body);
      expect(JSON.parse(Buffer.from(answer.bytes).toString()).outputs[0].data).toEqual([11, 22, 33]);
    }
  });

  it('takes chunked bodies', async () => {
    const { headers, body } = encodeInferRequest('rest-binary', [
      floats('a', Array(9000).fill(1)),
      floats('b', Array(9000).fill(2)),
    ]);
    const { 'content-length': _, ...chunkedHeaders } = headers;
    const answer = await new Promise<{ headers: Record<string, string>; bytes: Uint8Array<ArrayBuffer> }>(
      (resolve, reject) => {
        const request = httpRequest(server.url + inferPath, { method: 'POST', headers: chunkedHeaders }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () =>
            resolve({
              headers: response.headers as Record<string, string>,
              bytes: new Uint8Array(Buffer.concat(chunks)),
            }),
          );
        });
        request.on('error', reject);
        for (let start = 0; start < body.byteLength; start += 7000) request.write(body.subarray(start, start + 7000));
        request.end();
      },
    );
    expect(decodeInferResponse(answer.headers, answer.bytes).outputs[0]?.data).toEqual(new Float32Array(9000).fill(3));
  });

  it('keeps requests apart that share the memory of earlier ones', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const rows = 1 + (i % 40);
        const { headers, body } = encodeInferRequest(i % 3 === 0 ? 'rest-json' : 'rest-binary', [
          floats('a', Array(3 * rows).fill(i)),
          floats('b', Array(3 * rows).fill(0.5)),
        ]);
        const answer = await post(inferPath, headers, body);
        return decodeInferResponse(answer.headers, answer.bytes).outputs[0];
      }),
    );
    for (const [i, sum] of answers.entries())
      expect(sum).toEqual(floats('sum', Array(3 * (1 + (i % 40))).fill(i + 0.5)));
  });

  it('gives every element type back unchanged, in both formats', async () => {
    await using copier = await startServer(settingsFor(models.everyType()));
    const values: Record<string, NamedTensor['data']> = {
      float32: Float32Array.of(0.1, Number.NaN),
      float64: Float64Array.of(Math.PI, Number.NEGATIVE_INFINITY),
      float16: Uint16Array.of(0x3c00, 0xfc00),
      int8: Int8Array.of(-128, 127),
      int16: Int16Array.of(-32768, 32767),
      int32: Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
      int64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
      uint8: Uint8Array.of(0, 255),
      uint16: Uint16Array.of(0, 65535),
      uint32: Uint32Array.of(0, 2 ** 32 - 1),
      uint64: BigUint64Array.of(0n, 2n ** 64n - 1n),
      bool: Uint8Array.of(1, 0),
      string: ['', 'übergrößenträger 🙂'],
    };
    const inputs = allTypes.map((type) => ({
      name: `in_${type}`,
      type,
      shape: [1, 2],
      data: values[type] as NamedTensor['data'],
    }));
    for (const protocol of ['rest-json', 'rest-binary'] as const) {
      const { headers, body } = encodeInferRequest(protocol, inputs);
      const answer = await post(inferPath, headers, body, copier);
      const { outputs } = decodeInferResponse(answer.headers, answer.bytes);
      expect(outputs).toEqual(inputs.map((input) => ({ ...input, name: input.name.replace('in_', 'out_') })));
    }
  });

  it('gives non-finite results in JSON as strings, and only the outputs asked for', async () => {
    await using divider = await startServer(settingsFor(models.divide()));
    const request = {
      inputs: [
        { name: 'a', shape: [3], datatype: 'FP32', data: [0, 1, -1] },
        { name: 'b', shape: [3], datatype: 'FP32', data: [0, 0, 0] },
      ],
      outputs: [{ name: 'quotient' }],
    };
    const { bytes } = await post(inferPath, {}, JSON.stringify(request), divider);
    expect(JSON.parse(Buffer.from(bytes).toString()).outputs).toEqual([
      { name: 'quotient', shape: [3], datatype: 'FP32', data: ['NaN', 'Infinity', '-Infinity'] },
    ]);
  });

  it('counts waiting behind other requests as queue time and stays responsive meanwhile', async () => {
    await using slow = await startServer(settingsFor(models.slow()));
    const a: NamedTensor = {
      name: 'a',
      type: 'float32',
      shape: [400, 400],
      data: new Float32Array(160_000).fill(0.001),
    };
    const { headers, body } = encodeInferRequest('rest-binary', [a]);
    const answers = Promise.all([1, 2, 3].map(() => post(inferPath, headers, body, slow)));
    expect((await fetch(`${slow.url}/v2/health/live`)).status).toBe(200);
    const times = (await answers).map(({ headers }) => {
      const [, queue, compute] = [...String(headers['server-timing']).matchAll(/dur=([\d.]+)/g)].map((match) =>
        Number(match[1]),
      );
      return { queue: queue as number, compute: compute as number };
    });
    const last = times.sort((x, y) => x.queue - y.queue).at(-1);
    const others = times.slice(0, -1).reduce((sum, { compute }) => sum + compute, 0);
    expect(last?.queue).toBeGreaterThan(0.5 * others);
  });
});

describe('what cannot be answered', () => {
  it.each<[string, Record<string, string>, string | Uint8Array<ArrayBuffer>, number, string]>([
    ['a body that is not JSON', {}, 'no', 400, 'the request is not JSON: '],
    ['no body', {}, '', 400, 'the request'],
    [
      'a compressed body',
      { 'content-encoding': 'gzip' },
      'x',
      415,
      'the body has the content encoding "gzip"; this server takes uncompressed bodies',
    ],
    [
      'a body past the limit',
      {},
      'x'.repeat(BODY_LIMIT + 1),
      413,
      `the request body is larger than this server's limit of ${BODY_LIMIT} bytes`,
    ],
    [
      'a header that is no length',
      { 'inference-header-content-length': 'x' },
      '{}',
      400,
      'the header Inference-Header-Content-Length is "x"',
    ],
  ])('%s is refused with a sentence', async (_, headers, body, status, error) => {
    const answer = await post(inferPath, headers, body);
    const json = JSON.parse(Buffer.from(answer.bytes).toString());
    expect(answer.status).toBe(status);
    expect(json.error.slice(0, error.length)).toBe(error);
    await expectStillServing();
  });

  it('a runtime failure over inputs that contradict each other is a 400 with a sentence, and is nothing for the log', async () => {
    const before = failures.length;
    const { headers, body } = encodeInferRequest('rest-json', [
      floats('a', Array(6).fill(1)),
      floats('b', Array(9).fill(1)),
    ]);
    const answer = await post(inferPath, headers, body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(Buffer.from(answer.bytes).toString()).error).toMatch(
      /^the runtime failed on the inputs: .*Add node/,
    );
    expect(failures).toHaveLength(before);
    await expectStillServing();
  });

  it('a wrong method is a 404 with a sentence', async () => {
    const response = await fetch(server.url + inferPath, { method: 'PUT', body: '{}' });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: `there is no PUT "${inferPath}" on this server` });
  });

  it.each<[string, string, RegExp]>([
    ['what is not HTTP', 'hello\r\n\r\n', /^HTTP\/1.1 400 [\s\S]*\{"error":"this is not an HTTP request: /],
    [
      'header fields without end',
      `GET / HTTP/1.1\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
      /^HTTP\/1.1 431 [\s\S]*\{"error":"the request has too many or too long header fields"\}/,
    ],
    [
      'a content length that is none',
      `POST ${inferPath} HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n`,
      /^HTTP\/1.1 400 [\s\S]*\{"error":"/,
    ],
    [
      'a chunked body past the limit',
      `POST ${inferPath} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1ffff\r\n${'x'.repeat(0x1ffff)}\r\n0\r\n\r\n`,
      /^HTTP\/1.1 413 [\s\S]*\{"error":"/,
    ],
    [
      'a content type that is none',
      `POST ${inferPath} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: ;\r\ncontent-length: 2\r\n\r\n{}`,
      /^HTTP\/1.1 4\d\d [\s\S]*\{"error":"/,
    ],
    [
      'a path with broken escapes',
      'GET /v2/models/%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      /^HTTP\/1.1 4\d\d [\s\S]*\{"error":"/,
    ],
    [
      'a path that is another host’s to a URL parser',
      'GET /\\[ HTTP/1.1\r\nhost: x\r\n\r\n',
      /^HTTP\/1.1 404 [\s\S]*\r\n\r\n\{"error":"there is no GET/,
    ],
    [
      'broken escapes',
      'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      /^HTTP\/1.1 400 [\s\S]*\r\n\r\n\{"error":"'\/%zz' is not a valid url component"\}$/,
    ],
    [
      'a request without Host',
      'GET /v2 HTTP/1.1\r\nconnection: close\r\n\r\n',
      /^HTTP\/1.1 400 [\s\S]*\{"error":"the request has no Host field/,
    ],
    [
      'an expectation nobody meets',
      `POST ${inferPath} HTTP/1.1\r\nhost: x\r\nexpect: more\r\ncontent-length: 2\r\n\r\n{}`,
      /^HTTP\/1.1 417 [\s\S]*\{"error":"this server meets no expectation but 100-continue"\}/,
    ],
    [
      'a CONNECT',
      'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n',
      /^HTTP\/1.1 405 [\s\S]*\{"error":"this server is no proxy"\}/,
    ],
    [
      'a line without a carriage return',
      'GET /v2 HTTP/1.1\nhost: x\n\r\n',
      /^HTTP\/1.1 400 [\s\S]*\{"error":"this is not an HTTP request: /,
    ],
  ])('%s gets the protocol’s error', async (_, bytes, reply) => {
    expect(await exchange(server.url, bytes)).toMatch(reply);
    await expectStillServing();
  });

  it('a client that leaves in the middle of its body harms nobody', async () => {
    const start = `POST ${inferPath} HTTP/1.1\r\nhost: x\r\ncontent-length: 50000\r\n\r\n{"inputs"`;
    await Promise.all(Array.from({ length: 20 }, () => exchange(server.url, start, 30)));
    await expectStillServing();
  });

  it('whatever is sent, the answer is the protocol’s error and the server goes on', async () => {
    const valid = encodeInferRequest('rest-binary', tensors);
    const header = Number(valid.headers['inference-header-content-length']);
    const mutated = fc
      .array(fc.tuple(fc.nat({ max: valid.body.byteLength - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 })
      .map((changes) => {
        const body = valid.body.slice();
        for (const [index, byte] of changes) body[index] = byte;
        return new Uint8Array(body);
      });
    const truncated = fc
      .nat({ max: valid.body.byteLength - 1 })
      .map((length) => new Uint8Array(valid.body.subarray(0, length)));
    const length = fc.oneof(
      fc.constant(header),
      fc.nat({ max: 400 }),
      fc.constantFrom('', '1e3', '-0', '9'.repeat(30)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(mutated, truncated, fc.uint8Array({ maxLength: 64 })),
        length,
        async (body, announced) => {
          const answer = await post(
            inferPath,
            { 'inference-header-content-length': String(announced) },
            body as Uint8Array<ArrayBuffer>,
          );
          // A change of the values alone leaves a right request.
          if (answer.status === 200) return;
          expect(answer.status).toBe(400);
          expect(JSON.parse(Buffer.from(answer.bytes).toString())).toEqual({ error: expect.stringMatching(/\w+ \w+/) });
        },
      ),
      { numRuns: 1500 },
    );
    await expectStillServing();
  }, 120_000);
});
