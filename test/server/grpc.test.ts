import { connect } from 'node:net';
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  makeClientConstructor,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DataType } from '../../src/models/types.ts';
import { packageFile } from '../../src/package-files.ts';
import { type RunningApp, startServer } from '../../src/server/index.ts';
import { allTypes, TinyModels } from '../engine/tiny-models.ts';
import { ReflectedServices } from '../reflected-services.ts';
import { settingsFor } from './server-rig.ts';

/** A client that knows nothing of dse: made from the .proto file with proto-loader's own defaults, as any user would. */
const { inference } = loadPackageDefinition(
  loadSync(packageFile('proto/open-inference.proto'), { keepCase: true, longs: String, defaults: true }),
) as unknown as { inference: { GRPCInferenceService: ServiceClientConstructor } };

const models = new TinyModels();
const MESSAGE_LIMIT = 100_000;
let server: RunningApp;
const failures: unknown[] = [];

beforeAll(async () => {
  const settings = settingsFor(models.add(), { grpcPort: 0, bodyLimitBytes: MESSAGE_LIMIT });
  server = await startServer(settings, { onError: (error) => failures.push(error) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  models[Symbol.dispose]();
});

interface Answer {
  readonly error: ServiceError | null;
  // biome-ignore lint/suspicious/noExplicitAny: what an independent client gives.
  readonly value: any;
  readonly trailer: Metadata | undefined;
}

function clientFor(to: RunningApp, Type = inference.GRPCInferenceService): Client {
  const client = new Type(String(to.grpcAddress), credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

function call(client: Client, method: string, message: object, options: { deadline?: number } = {}): Promise<Answer> {
  return new Promise((resolve) => {
    let trailer: Metadata | undefined;
    // biome-ignore lint/suspicious/noExplicitAny: methods of a client made from a .proto file.
    const sent = (client as any)[method](
      message,
      new Metadata(),
      options,
      (error: ServiceError | null, value: unknown) => setImmediate(() => resolve({ error, value, trailer })),
    );
    sent.on('status', (final: { metadata: Metadata }) => {
      trailer = final.metadata;
    });
  });
}

const typedRequest = {
  model_name: 'tiny',
  id: 'seven',
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [1, 3], contents: { fp32_contents: [1, 2, 3] } },
    { name: 'b', datatype: 'FP32', shape: [1, 3], contents: { fp32_contents: [10, 20, 30] } },
  ],
};

function bytesOf(values: ArrayBufferView): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

describe('health and metadata over gRPC', () => {
  it('are answered as the protocol has them', async () => {
    const client = clientFor(server);
    expect((await call(client, 'ServerLive', {})).value).toEqual({ live: true });
    expect((await call(client, 'ServerReady', {})).value).toEqual({ ready: true });
    expect((await call(client, 'ServerMetadata', {})).value).toMatchObject({ name: 'dse' });
    expect((await call(client, 'ModelReady', { name: 'tiny', version: '1' })).value).toEqual({ ready: true });
    const { value } = await call(client, 'ModelMetadata', { name: 'tiny' });
    expect(value).toMatchObject({
      name: 'tiny',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [
        { name: 'a', datatype: 'FP32', shape: ['-1', '3'] },
        { name: 'b', datatype: 'FP32', shape: ['-1', '3'] },
      ],
      outputs: [{ name: 'sum', datatype: 'FP32', shape: ['-1', '3'] }],
    });
    expect(value.properties).toMatchObject({ intra_op_threads: '1', spinning: 'false' });
  });

  it('of what is not there is NOT_FOUND', async () => {
    const client = clientFor(server);
    const unknown = await call(client, 'ModelMetadata', { name: 'other' });
    expect(unknown.error).toMatchObject({ code: status.NOT_FOUND });
    expect(unknown.error?.details).toBe('there is no model "other"; this server has "tiny"');
    expect((await call(client, 'ModelReady', { name: 'tiny', version: '9' })).error?.code).toBe(status.NOT_FOUND);
    expect((await call(client, 'ModelInfer', { ...typedRequest, model_name: 'x' })).error?.code).toBe(status.NOT_FOUND);
  });

  it('are also told by grpc.health.v1', async () => {
    const client = clientFor(server, makeClientConstructor(healthService as never, 'Health'));
    for (const service of ['', 'inference.GRPCInferenceService']) {
      expect((await call(client, 'Check', { service })).value).toEqual({ status: 'SERVING' });
    }
    expect((await call(client, 'Check', { service: 'other' })).error?.code).toBe(status.NOT_FOUND);
  });
});

describe('reflection', () => {
  it('gives a client that has no .proto file all it needs to ask for an inference', async () => {
    using reflection = new ReflectedServices(String(server.grpcAddress), 'v1');
    expect(await reflection.list()).toContain('inference.GRPCInferenceService');
    const client = await reflection.clientOf('inference.GRPCInferenceService');
    onTestFinished(() => client.close());
    const { value } = await call(client, 'ModelInfer', typedRequest);
    expect(value.outputs[0].contents.fp32_contents).toEqual([11, 22, 33]);
  });
});

describe('inference over gRPC', () => {
  it('answers typed contents with typed contents, the id and the times', async () => {
    const { value, trailer } = await call(clientFor(server), 'ModelInfer', typedRequest);
    expect(value).toMatchObject({ model_name: 'tiny', model_version: '1', id: 'seven', raw_output_contents: [] });
    expect(value.outputs).toMatchObject([{ name: 'sum', datatype: 'FP32', shape: ['1', '3'] }]);
    expect(value.outputs[0].contents.fp32_contents).toEqual([11, 22, 33]);
    expect(trailer?.get('server-timing')[0]).toMatch(
      /^decode;dur=\d+\.\d{3}, queue;dur=\d+\.\d{3}, compute;dur=\d+\.\d{3}$/,
    );
  });

  it('answers raw contents with raw contents, in any size and many at once', async () => {
    const client = clientFor(server);
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const rows = 1 + 97 * (i % 30);
        const values = (value: number) => bytesOf(new Float32Array(3 * rows).fill(value));
        const { value } = await call(client, 'ModelInfer', {
          model_name: 'tiny',
          inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [rows, 3] })),
          raw_input_contents: [values(i), values(0.5)],
        });
        expect(value.outputs[0].contents).toBeNull();
        expect(value.raw_output_contents[0].equals(values(i + 0.5))).toBe(true);
      }),
    );
  });

  it('gives every element type back unchanged, raw and typed', async () => {
    await using copier = await startServer(settingsFor(models.everyType(), { grpcPort: 0 }));
    const client = clientFor(copier);
    const values: Record<DataType, [wire: string, raw: Buffer, contents?: object]> = {
      float32: ['FP32', bytesOf(Float32Array.of(0.5, Number.NaN)), { fp32_contents: [0.5, Number.NaN] }],
      float64: ['FP64', bytesOf(Float64Array.of(Math.PI, -1 / 0)), { fp64_contents: [Math.PI, -1 / 0] }],
      float16: ['FP16', bytesOf(Uint16Array.of(0x3c00, 0xfc00))],
      int8: ['INT8', bytesOf(Int8Array.of(-128, 127)), { int_contents: [-128, 127] }],
      int16: ['INT16', bytesOf(Int16Array.of(-32768, 32767)), { int_contents: [-32768, 32767] }],
      int32: ['INT32', bytesOf(Int32Array.of(-(2 ** 31), 7)), { int_contents: [-(2 ** 31), 7] }],
      int64: ['INT64', bytesOf(BigInt64Array.of(-(2n ** 63n), 7n)), { int64_contents: [String(-(2n ** 63n)), '7'] }],
      uint8: ['UINT8', bytesOf(Uint8Array.of(0, 255)), { uint_contents: [0, 255] }],
      uint16: ['UINT16', bytesOf(Uint16Array.of(0, 65535)), { uint_contents: [0, 65535] }],
      uint32: ['UINT32', bytesOf(Uint32Array.of(0, 2 ** 32 - 1)), { uint_contents: [0, 2 ** 32 - 1] }],
      uint64: [
        'UINT64',
        bytesOf(BigUint64Array.of(2n ** 64n - 1n, 7n)),
        { uint64_contents: [String(2n ** 64n - 1n), '7'] },
      ],
      bool: ['BOOL', bytesOf(Uint8Array.of(1, 0)), { bool_contents: [true, false] }],
      string: [
        'BYTES',
        Buffer.from('\0\0\0\0\x02\0\0\0\u00fc'),
        { bytes_contents: [Buffer.alloc(0), Buffer.from('\u00fc')] },
      ],
    };
    const inputs = allTypes.map((type) => ({ name: `in_${type}`, datatype: values[type][0], shape: [1, 2] }));
    const raw = allTypes.map((type) => values[type][1]);
    const binary = await call(client, 'ModelInfer', { model_name: 'tiny', inputs, raw_input_contents: raw });
    expect(binary.error).toBeNull();
    expect(binary.value.raw_output_contents).toEqual(raw);

    // FP16 has no typed contents, so a model with an FP16 input cannot be asked with them; the protocol says so too.
    const typed = await call(client, 'ModelInfer', {
      model_name: 'tiny',
      inputs: inputs.map((input, i) => ({ ...input, contents: values[allTypes[i] as DataType][2] })),
    });
    expect(typed.error).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(typed.error?.details).toBe(
      'input "in_float16" is FP16, which has no typed contents; send it in raw_input_contents',
    );
  });

  it('gives only the outputs asked for, in the order asked', async () => {
    await using divider = await startServer(settingsFor(models.divide(), { grpcPort: 0 }));
    const inputs = [
      { name: 'b', datatype: 'FP32', shape: [2], contents: { fp32_contents: [0, 2] } },
      { name: 'a', datatype: 'FP32', shape: [2], contents: { fp32_contents: [1, 1] } },
    ];
    const client = clientFor(divider);
    const ask = async (...names: string[]) => {
      const outputs = names.map((name) => ({ name }));
      const { value } = await call(client, 'ModelInfer', { model_name: 'tiny', inputs, outputs });
      return value.outputs.map((output: { name: string; contents: { fp32_contents: number[] } }) => [
        output.name,
        output.contents.fp32_contents,
      ]);
    };
    expect(await ask('quotient')).toEqual([['quotient', [Number.POSITIVE_INFINITY, 0.5]]]);
    expect(await ask('copy', 'quotient')).toEqual([
      ['copy', [1, 1]],
      ['quotient', [Number.POSITIVE_INFINITY, 0.5]],
    ]);
  });
});

describe('what cannot be answered over gRPC', () => {
  const expectStillServing = async (client: Client) =>
    expect((await call(client, 'ModelInfer', typedRequest)).value.outputs[0].contents.fp32_contents).toEqual([
      11, 22, 33,
    ]);

  it('is INVALID_ARGUMENT with a sentence where the request is wrong', async () => {
    const client = clientFor(server);
    const { error } = await call(client, 'ModelInfer', { ...typedRequest, inputs: typedRequest.inputs.slice(1) });
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'the request lacks the input "a"' });
    await expectStillServing(client);
  });

  it('is whole text where a quoted name is cut within a character', async () => {
    const client = clientFor(server);
    for (const letters of [77, 78, 79, 80]) {
      const name = 'x'.repeat(letters) + '\u{1f600}'.repeat(40);
      const { error } = await call(client, 'ModelInfer', { ...typedRequest, model_name: name });
      expect(error).toMatchObject({
        code: status.NOT_FOUND,
        details: expect.stringContaining('there is no model "xxx'),
      });
    }
    await expectStillServing(client);
  });

  it('is INVALID_ARGUMENT where the runtime fails over inputs that contradict each other, and nothing for the log', async () => {
    const before = failures.length;
    const inputs = typedRequest.inputs.map((input, i) => ({
      ...input,
      shape: [2 + i, 3],
      contents: { fp32_contents: Array(6 + 3 * i).fill(1) },
    }));
    const client = clientFor(server);
    const { error } = await call(client, 'ModelInfer', { ...typedRequest, inputs });
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(error?.details).toMatch(/^the runtime failed on the inputs: .*Add node/);
    expect(failures).toHaveLength(before);
    await expectStillServing(client);
  });

  it('is RESOURCE_EXHAUSTED past the size limit', async () => {
    const client = clientFor(server);
    const { error } = await call(client, 'ModelInfer', {
      ...typedRequest,
      raw_input_contents: [Buffer.alloc(MESSAGE_LIMIT)],
    });
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    await expectStillServing(client);
  });

  it('is INTERNAL where the message is no protobuf, and UNIMPLEMENTED where there is no such method', async () => {
    const client = clientFor(server);
    const raw = (method: string) =>
      new Promise<ServiceError | null>((resolve) => {
        const same = (bytes: Buffer) => bytes;
        client.makeUnaryRequest(`/inference.GRPCInferenceService/${method}`, same, same, Buffer.from([0xff]), resolve);
      });
    expect((await raw('ModelInfer'))?.code).toBe(status.INTERNAL);
    expect((await raw('Nothing'))?.code).toBe(status.UNIMPLEMENTED);
    await expectStillServing(client);
  });

  it('is DEADLINE_EXCEEDED once the deadline is over, and the server goes on', async () => {
    await using slow = await startServer(settingsFor(models.slow(), { grpcPort: 0 }));
    const client = clientFor(slow);
    const request = {
      model_name: 'tiny',
      inputs: [{ name: 'a', datatype: 'FP32', shape: [700, 700] }],
      raw_input_contents: [Buffer.alloc(4 * 700 * 700)],
    };
    const { error } = await call(client, 'ModelInfer', request, { deadline: Date.now() + 15 });
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect((await call(client, 'ModelInfer', request)).error).toBeNull();
  });

  it('is nothing where the other side does not speak HTTP/2', async () => {
    const [host = '', port] = String(server.grpcAddress).split(':');
    const closed = new Promise((resolve) => {
      const socket = connect(Number(port), host, () => socket.write('hello\r\n\r\n'));
      socket
        .on('close', resolve)
        .on('error', () => {})
        .resume();
    });
    await closed;
    await expectStillServing(clientFor(server));
  });
});

describe('a server with a gRPC side', () => {
  it('answers what is in flight before it ends', async () => {
    const slow = await startServer(settingsFor(models.slow(), { grpcPort: 0 }));
    const client = clientFor(slow);
    const request = {
      model_name: 'tiny',
      inputs: [{ name: 'a', datatype: 'FP32', shape: [400, 400] }],
      raw_input_contents: [Buffer.alloc(4 * 400 * 400)],
    };
    expect((await call(client, 'ModelInfer', request)).error).toBeNull();
    const answers = Promise.all([1, 2, 3].map(() => call(client, 'ModelInfer', request)));
    await new Promise((resolve) => client.waitForReady(Date.now() + 5000, resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect((await call(client, 'ServerLive', {})).value).toEqual({ live: true });
    await slow[Symbol.asyncDispose]();
    for (const { error } of await answers) expect(error).toBeNull();
  });

  it('does not break off what is in flight where the next sign of life is due while it stops', async () => {
    const dueMs = 5_000;
    const startTimer = globalThis.setTimeout;
    const due: (() => void)[] = [];
    const timers = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms?: number) => {
      if (ms === dueMs) due.push(run);
      return startTimer(run, ms);
    }) as typeof setTimeout);
    onTestFinished(() => void timers.mockRestore());
    const slow = await startServer(settingsFor(models.slow(), { grpcPort: 0 }));
    const client = clientFor(slow);
    const request = {
      model_name: 'tiny',
      inputs: [{ name: 'a', datatype: 'FP32', shape: [500, 500] }],
      raw_input_contents: [Buffer.alloc(4 * 500 * 500)],
    };
    const answers = Promise.all([1, 2, 3].map(() => call(client, 'ModelInfer', request)));
    // Comes after them over the same connection, so that they are in flight once it is answered.
    expect((await call(client, 'ServerLive', {})).value).toEqual({ live: true });
    const pings = [...due];
    expect(pings.length).toBeGreaterThan(0);
    const stopped = slow[Symbol.asyncDispose]();
    for (const ping of pings) ping();
    for (const { error } of await answers) expect(error).toBeNull();
    await stopped;
  });

  it('says which port is taken', async () => {
    const port = Number(String(server.grpcAddress).split(':')[1]);
    await expect(startServer(settingsFor(models.add(), { grpcPort: port }))).rejects.toThrow(`port ${port} is taken`);
  });

  it('has none where none is asked for', async () => {
    await using plain = await startServer(settingsFor(models.add()));
    expect(plain.grpcAddress).toBeUndefined();
  });
});

describe('the model repository', () => {
  it('is listed, and its models are unloaded and loaded again', async () => {
    const own = await startServer(settingsFor(models.add(), { grpcPort: 0 }));
    onTestFinished(() => own[Symbol.asyncDispose]());
    const client = clientFor(own);
    const index = async (message: object) => (await call(client, 'RepositoryIndex', message)).value.models;
    expect(await index({})).toEqual([{ name: 'tiny', version: '1', state: 'READY', reason: '' }]);
    expect((await call(client, 'RepositoryModelUnload', { model_name: 'tiny' })).value).toEqual({});
    expect(await index({})).toEqual([
      { name: 'tiny', version: '1', state: 'UNAVAILABLE', reason: 'it was unloaded on request' },
    ]);
    expect((await call(client, 'ModelReady', { name: 'tiny' })).value).toEqual({ ready: false });
    expect(await index({ ready: true })).toEqual([]);
    expect((await call(client, 'RepositoryModelLoad', { model_name: 'tiny' })).value).toEqual({});
    expect((await call(client, 'ModelReady', { name: 'tiny' })).value).toEqual({ ready: true });
  });

  it('refuses what is not there, or cannot be asked for', async () => {
    const client = clientFor(server);
    const { error: unknown } = await call(client, 'RepositoryModelLoad', { model_name: 'nobody' });
    expect([unknown?.code, unknown?.details]).toEqual([
      status.NOT_FOUND,
      expect.stringContaining('there is no model "nobody"'),
    ]);
    const { error: elsewhere } = await call(client, 'RepositoryIndex', { repository_name: 'other' });
    expect([elsewhere?.code, elsewhere?.details]).toEqual([
      status.NOT_FOUND,
      `there is no repository "other"; the server's own has no name`,
    ]);
    const parameters = { config: { string_param: '{}' } };
    const { error: configured } = await call(client, 'RepositoryModelLoad', { model_name: 'tiny', parameters });
    expect([configured?.code, configured?.details]).toEqual([
      status.INVALID_ARGUMENT,
      'a model is loaded without parameters, and "config" is given',
    ]);
  });
});
