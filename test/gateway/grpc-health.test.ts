import { once } from 'node:events';
import { type Client, credentials, loadPackageDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../../src/gateway/index.ts';
import type { GatewaySettings } from '../../src/gateway/types.ts';
import { startServer } from '../../src/server/index.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';
import { ReflectedServices } from '../reflected-services.ts';
import { answering, FakeUpstream, settingsFor } from './fake-upstream.ts';

const SERVICE = 'inference.GRPCInferenceService';

/** Clients of health checking, made from gRPC's own .proto file. */
// biome-ignore lint/suspicious/noExplicitAny: what is in a .proto file.
const { Health } = (loadPackageDefinition(loadSync(protoPath, { keepCase: true, enums: String })) as any).grpc.health
  .v1;

async function open(upstreams: readonly FakeUpstream[], changes: Partial<GatewaySettings> = {}) {
  const settings = settingsFor(upstreams.map(({ url }) => url));
  const gateway = await startGateway({
    ...{ ...settings, grpcPort: 0, upstreams: settings.upstreams.map((one) => ({ ...one, grpc: '127.0.0.1:1' })) },
    ...changes,
  });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const health = new Health(gateway.grpcAddress, credentials.createInsecure());
  onTestFinished(() => health.close());
  return { gateway, health };
}

/** Its answer, or the name of the status it ends with. */
function ask(client: Client, method: string, message: object): Promise<unknown> {
  return new Promise((resolve) => {
    // biome-ignore lint/suspicious/noExplicitAny: methods of a client made from a .proto file.
    (client as any)[method](message, (error: ServiceError | null, value: unknown) =>
      resolve(error === null ? value : status[error.code]),
    );
  });
}

/** The name of the status that a call ends with. */
// biome-ignore lint/suspicious/noExplicitAny: a call of a client made from a .proto file.
function statusOf(call: any): Promise<string> {
  call.on('error', () => {});
  return new Promise((resolve) => call.on('status', ({ code }: { code: status }) => resolve(String(status[code]))));
}

/** Everything that someone who watches is told, as it comes. */
// biome-ignore lint/suspicious/noExplicitAny: methods of a client made from a .proto file.
function watch(health: any, service: string) {
  const told: string[] = [];
  const stream = health.Watch({ service });
  stream.on('data', (answer: { status: string }) => told.push(answer.status));
  const ended = statusOf(stream);
  onTestFinished(() => stream.cancel());
  return { told, ended };
}

function start(): Promise<FakeUpstream> {
  return FakeUpstream.start(answering(200));
}

test('health follows the servers behind the gateway as its readiness over REST does, each change told once', async () => {
  await using upstream = await start();
  await using other = await start();
  const { gateway, health } = await open([upstream, other], { pollTimeoutMs: 2_000 });
  const watched = ['', SERVICE].map((service) => watch(health, service));
  const expectAll = async (isReady: boolean, told: readonly string[]) => {
    for (const one of watched) await expect.poll(() => one.told, { timeout: 20_000 }).toEqual(told);
    const answer = { status: told.at(-1) };
    expect(await ask(health, 'Check', { service: '' })).toEqual(answer);
    expect(await ask(health, 'Check', { service: SERVICE })).toEqual(answer);
    expect(await ask(health, 'List', {})).toEqual({ statuses: { '': answer, [SERVICE]: answer } });
    expect((await fetch(`${gateway.url}/v2/health/ready`)).status).toBe(isReady ? 200 : 503);
  };
  await expectAll(true, ['SERVING']);
  // One of two that have the model is enough.
  await upstream.close();
  await expect.poll(() => gateway.status().upstreams[0]?.isUp, { timeout: 20_000 }).toBe(false);
  await expectAll(true, ['SERVING']);
  other.isReady = false;
  await expectAll(false, ['SERVING', 'NOT_SERVING']);
  await upstream.listen();
  await expectAll(true, ['SERVING', 'NOT_SERVING', 'SERVING']);
});

test('a gateway whose servers are not there yet says so from the first answer on', async () => {
  const upstream = await start();
  await upstream.close();
  await using _upstream = upstream;
  const { health } = await open([upstream]);
  const { told } = watch(health, '');
  expect(await ask(health, 'Check', { service: '' })).toEqual({ status: 'NOT_SERVING' });
  await expect.poll(() => told).toEqual(['NOT_SERVING']);
  await upstream.listen();
  await expect.poll(() => told, { timeout: 20_000 }).toEqual(['NOT_SERVING', 'SERVING']);
});

test('a request that finds the last server gone is told to those who watch', async () => {
  await using upstream = await start();
  const { gateway, health } = await open([upstream], { pollIntervalMs: 60_000 });
  const { told } = watch(health, SERVICE);
  await expect.poll(() => told).toEqual(['SERVING']);
  await upstream.close();
  const { status: answer } = await fetch(`${gateway.url}/v2/models/m/infer`, { method: 'POST', body: '{}' });
  expect(answer).toBeGreaterThanOrEqual(502);
  await expect.poll(() => told).toEqual(['SERVING', 'NOT_SERVING']);
});

test('a service that is not there is NOT_FOUND, and SERVICE_UNKNOWN to those who watch', async () => {
  await using upstream = await start();
  const { health } = await open([upstream]);
  expect(await ask(health, 'Check', { service: 'other' })).toBe('NOT_FOUND');
  const { told } = watch(health, 'other');
  await expect.poll(() => told).toEqual(['SERVICE_UNKNOWN']);
});

test('a gateway that stops says so to those who watch, and does not wait for them or for open reflection', async () => {
  await using upstream = await start();
  // Only what is in flight is waited for: this long, no test would pass.
  const { gateway, health } = await open([upstream], { drainTimeoutMs: 1e8 });
  const watched = ['', SERVICE].map((service) => watch(health, service));
  for (const { told } of watched) await expect.poll(() => told).toEqual(['SERVING']);
  using reflection = new ReflectedServices(String(gateway.grpcAddress), 'v1');
  const questions = reflection.open();
  const closed = statusOf(questions);
  questions.write({ list_services: '' });
  await once(questions, 'data');
  await gateway[Symbol.asyncDispose]();
  expect(await closed).toBe('OK');
  for (const { told, ended } of watched) {
    expect(await ended).toBe('OK');
    expect(told).toEqual(['SERVING', 'NOT_SERVING']);
  }
});

test.each(['v1', 'v1alpha'] as const)(
  'reflection %s gives a client without .proto files all it needs to ask for health and for an inference',
  async (version) => {
    using files = new TinyModels();
    const models = [{ name: 'm', file: files.add(), engine: plainSettings }];
    await using server = await startServer({ models, host: '127.0.0.1', port: 0, grpcPort: 0 });
    await using gateway = await startGateway({
      ...{ ...settingsFor([server.url]), grpcPort: 0 },
      upstreams: [{ name: 'a', url: server.url, grpc: String(server.grpcAddress) }],
    });
    using reflection = new ReflectedServices(String(gateway.grpcAddress), version);
    expect((await reflection.list()).toSorted()).toEqual(['grpc.health.v1.Health', SERVICE]);
    const health = await reflection.clientOf('grpc.health.v1.Health');
    onTestFinished(() => health.close());
    expect(await ask(health, 'Check', { service: SERVICE })).toEqual({ status: 'SERVING' });
    const client = await reflection.clientOf(SERVICE);
    onTestFinished(() => client.close());
    const inputs = ['a', 'b'].map((name) => ({
      ...{ name, datatype: 'FP32', shape: [1, 3], contents: { fp32_contents: [1, 2, 3] } },
    }));
    expect(await ask(client, 'ModelInfer', { model_name: 'm', inputs })).toMatchObject({
      outputs: [{ name: 'sum', contents: { fp32_contents: [2, 4, 6] } }],
    });
    expect(await reflection.ask({ file_containing_symbol: 'inference.Nothing' })).toMatchObject({
      error_response: { error_code: status.NOT_FOUND },
    });
    const { file_descriptor_response: file } = await reflection.ask({
      file_containing_symbol: `${SERVICE}.ModelInfer`,
    });
    expect(file.file_descriptor_proto.length).toBeGreaterThan(0);
  },
);
