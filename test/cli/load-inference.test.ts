import { expect, onTestFinished, test } from 'vitest';
import { catalogue } from '../../src/models/index.ts';
import { packageFile } from '../../src/package-files.ts';
import { startServer } from '../../src/server/index.ts';
import { plainSettings } from '../engine/tiny-models.ts';
import { dse } from './dse.ts';

async function startMnist() {
  const model = { name: 'mnist', file: packageFile('models/mnist-cnn.onnx'), engine: plainSettings };
  const image = catalogue['mnist-cnn']?.image;
  const server = await startServer({ models: [{ ...model, image }], host: '127.0.0.1', port: 0, grpcPort: 0 });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { rest: server.url, grpc: `grpc://${server.grpcAddress}` };
}

test('dse load asks a model over gRPC and with images, and says what a server does not have', async () => {
  const { rest, grpc } = await startMnist();
  const load = (address: string, ...options: string[]) =>
    dse(['load', address, '--concurrency', '1', '--duration', '300ms', ...options]);
  const answers = await Promise.all([
    // Longer than the others take to start, which would keep this one from ever being answered on a busy machine.
    load(grpc, '--model', 'mnist', '--batch', '2', '--json', '--duration', '2s'),
    load(rest, '--model', 'mnist', '--protocol', 'image'),
    load(grpc, '--model', 'nobody'),
    load(rest, '--model', 'mnist', '--protocol', 'grpc'),
    load(grpc),
    load('grpc://127.0.0.1:1', '--model', 'mnist'),
  ]);
  const [overGrpc, images, nobody, mixed, plain, gone] = answers;
  expect([overGrpc?.stderr, overGrpc?.exitCode]).toEqual(['', 0]);
  expect(JSON.parse(overGrpc?.stdout ?? '')).toMatchObject({
    compute_ms: expect.any(Number),
    achieved_rps: expect.any(Number),
  });
  expect([images?.stderr, images?.exitCode]).toEqual(['', 0]);
  expect(nobody?.stderr).toContain('there is no model "nobody"; this server has "mnist"');
  expect(mixed?.stderr).toContain('Give the address of the gRPC side');
  expect(plain?.stderr).toContain('nothing says what to ask over gRPC');
  expect(gone?.stderr).toContain('nothing answers over gRPC at 127.0.0.1:1');
  expect([nobody, mixed, plain, gone].map((answer) => answer?.exitCode)).toEqual([2, 2, 2, 2]);
});
