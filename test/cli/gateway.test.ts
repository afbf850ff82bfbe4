import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Client, credentials, loadPackageDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect, onTestFinished, test } from 'vitest';
import { packageFile } from '../../src/package-files.ts';
import { dse, scratchFolder } from './dse.ts';

/** A client that knows nothing of dse. */
const { inference } = loadPackageDefinition(
  loadSync(packageFile('proto/open-inference.proto'), { keepCase: true, longs: String, defaults: true }),
  // biome-ignore lint/suspicious/noExplicitAny: what is in a .proto file.
) as any;

/** A command that goes on until it is stopped, once it has said what it has to. */
async function listening(...args: string[]) {
  const running = dse(args);
  onTestFinished(() => void running.kill('SIGKILL'));
  const text = await new Promise<string>((resolve) => {
    let told = '';
    running.stdout.on('data', (chunk) => {
      told += chunk;
      if (told.endsWith('Ctrl-C stops it.\n')) resolve(told);
    });
    void running.then(({ stderr }) => resolve(`ended: ${stderr}`));
  });
  return {
    text,
    stop: async () => {
      running.kill('SIGTERM');
      const { exitCode, stderr } = await running;
      return { exitCode, stderr };
    },
  };
}

async function serving(...args: string[]) {
  const server = await listening('serve', 'mnist-cnn', '--port', '0', '--grpc-port', '0', ...args);
  const [, url, grpc] = /at (http:\/\/[\d.:]+)\/v2\/[\s\S]*over gRPC at ([\d.:]+)\n/.exec(server.text) ?? [];
  return { ...server, url: String(url), grpc: String(grpc) };
}

/** Asks for one inference, and for who answered. */
async function infer(address: string) {
  const client: Client = new inference.GRPCInferenceService(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const inputs = [{ name: 'input', datatype: 'FP32', shape: [1, 1, 28, 28] }];
  const raw_input_contents = [Buffer.alloc(4 * 28 * 28)];
  return new Promise<{ code: string; details: string; ways: unknown[]; shape: unknown }>((resolve) => {
    let end: { readonly error: ServiceError | null; readonly value: { outputs: { shape: unknown }[] } | undefined };
    // biome-ignore lint/suspicious/noExplicitAny: methods of a client made from a .proto file.
    const sent = (client as any).ModelInfer(
      { model_name: 'mnist-cnn', inputs, raw_input_contents },
      (error: ServiceError | null, value: typeof end.value) => {
        end = { error, value };
      },
    );
    sent.on('status', ({ code, metadata }: ServiceError) => {
      const { error, value } = end;
      const told = { code: String(status[code]), details: error?.details ?? '', shape: value?.outputs[0]?.shape };
      resolve({ ...told, ways: metadata.get('dse-upstream') });
    });
  });
}

const LISTENING =
  /^Listening at http:\/\/127\.0\.0\.1:\d+, gRPC at (127\.0\.0\.1:\d+) \(health at \/gateway, figures at \/metrics\)\. Ctrl-C stops it\.$/m;

function addressIn({ text }: { readonly text: string }): string {
  return LISTENING.exec(text)?.[1] ?? `no address in: ${text}`;
}

test('dse gateway passes calls on over gRPC to dse serve, from options and from a file, until SIGTERM ends both with 0', async () => {
  await using folder = await scratchFolder();
  const server = await serving();
  const file = await folder.file(
    'gateway.yaml',
    `upstreams: { only: "${server.url}" }\ngrpc: { port: 1, upstreams: { only: "${server.grpc}" } }\n`,
  );
  const gateways = await Promise.all([
    listening('gateway', '--port', '0', '--grpc-port', '0', '--upstream', `float=${server.url},grpc://${server.grpc}`),
    listening('gateway', file, '--port', '0', '--grpc-port', '0'),
  ]);
  expect(gateways[0]?.text).toContain('mnist-cnn: 100 % float/mnist-cnn\n');
  const answered = { code: 'OK', details: '', shape: ['1', '10'] };
  expect(await infer(server.grpc)).toEqual({ ...answered, ways: [] });
  const addresses = gateways.map(addressIn);
  expect(await Promise.all(addresses.map(infer))).toEqual([
    { ...answered, ways: ['float'] },
    { ...answered, ways: ['only'] },
  ]);
  const ends = await Promise.all(gateways.map((gateway) => gateway.stop()));
  expect(ends).toEqual(
    ['float', 'only'].map((name) => ({
      exitCode: 0,
      stderr: expect.stringMatching(new RegExp(`^\\S+Z ${name} \\(${server.url}\\) is up$`)),
    })),
  );
  expect(await infer(addresses[0] as string)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await server.stop()).toEqual({ exitCode: 0, stderr: '' });
});

test('what gRPC cannot be served with is refused with what, where and hint, and 2', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const taken = String((other.address() as AddressInfo).port);
  const both = 'http://127.0.0.1:1,grpc://127.0.0.1:2';
  await using folder = await scratchFolder();
  const oneMissing = await folder.file(
    'missing.yaml',
    'upstreams:\n  a: "http://127.0.0.1:1"\n  b: "http://127.0.0.1:2"\ngrpc: { upstreams: { a: "127.0.0.1:3" } }\n',
  );
  const cases: readonly (readonly [args: readonly string[], message: string])[] = [
    [
      ['gateway', '--port', '0', '--grpc-port', taken, '--upstream', both],
      `127.0.0.1:${taken}  port ${taken} is taken\n  Stop what listens there, or choose another port (0 lets the system choose).`,
    ],
    [
      ['serve', 'mnist-cnn', '--port', '0', '--grpc-port', taken],
      `127.0.0.1:${taken}  port ${taken} is taken\n  Stop what listens there, or choose another port (0 lets the system choose).`,
    ],
    [
      ['gateway', '--grpc-port', '0', '--upstream', 'a=http://127.0.0.1:1', '--upstream', 'b=http://127.0.0.1:2'],
      ['a=http://127.0.0.1:1', 'b=http://127.0.0.1:2']
        .map(
          (given) =>
            `--upstream  the server "${given[0]}" has no address for gRPC\n  Give the port that it was started with (--grpc-port), e.g. --upstream ${given},grpc://127.0.0.1:9001, or leave --grpc-port out.`,
        )
        .join('\n'),
    ],
    [
      ['gateway', oneMissing],
      `${oneMissing}:3:6  the server "b" has no address for gRPC\n  Give the port that it was started with (--grpc-port), e.g. grpc: { upstreams: { b: "127.0.0.1:9001" } }, or leave "grpc" out.`,
    ],
  ];
  const ends = await Promise.all(cases.map(([args]) => dse(args)));
  for (const [at, [args, message]] of cases.entries()) {
    const { exitCode, stderr, stdout } = ends[at] as (typeof ends)[number];
    expect({ args, exitCode, stdout, stderr }).toEqual({
      args,
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
    expect(stderr).not.toMatch(/^\s+at /m);
  }
});
