import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sumNetworkBytes } from '../../src/launch/container/container-usage.ts';
import { assertReadable } from '../../src/launch/container/container-user.ts';
import { type CreateOptions, createArguments, ownContents } from '../../src/launch/container/create-arguments.ts';
import type { LaunchRequest, Limits } from '../../src/launch/index.ts';
import { temporaryDir } from './fixture.ts';
import { ENGINE } from './fixture-process.ts';

const models = ['/models/here/m.onnx', '/models/there/m.onnx', '/models/here/n.onnx'];

function argumentsFor(limits: Limits, options: Partial<CreateOptions> = {}, port = 0): string[] {
  const request: LaunchRequest = {
    runLabel: 'label',
    settings: { models: models.map((file) => ({ name: 'm', file, engine: ENGINE })), host: '127.0.0.1', port },
    limits,
    logFile: '/log',
    readyTimeoutMs: 1,
  };
  return createArguments(request, {
    name: 'dse-label-1',
    image: 'image:tag',
    network: 'host',
    engineArgs: [],
    user: undefined,
    contents: ownContents(request.settings, options.network ?? 'host', (settings) => [JSON.stringify(settings)]),
    ...options,
  });
}

describe('the arguments of a container', () => {
  test('shut it in: read-only, no privileges, nothing logged by the engine, no health check while measuring', () => {
    expect(argumentsFor({})).toEqual(
      expect.arrayContaining([
        '--read-only',
        '--cap-drop=ALL',
        '--security-opt=no-new-privileges',
        '--log-driver=none',
        '--no-healthcheck',
        '--label=dse.run=label',
      ]),
    );
  });

  test('hold a limit only where it was asked for', () => {
    const text = argumentsFor({}).join(' ');
    for (const name of ['--cpu-quota', '--cpuset-cpus', '--memory', '--user']) expect(text).not.toContain(name);
  });

  test('give limits in the units of the kernel, and no swap', () => {
    expect(argumentsFor({ cpus: 1 / 3, cpuset: '0-1', memoryBytes: 2e8 })).toEqual(
      expect.arrayContaining([
        ...['--cpu-period=100000', '--cpu-quota=33333', '--cpuset-cpus=0-1'],
        ...['--memory=200000000b', '--memory-swap=200000000b'],
      ]),
    );
  });

  test('mount the folders of the models read-only, each once, and tell the server where they are', () => {
    const args = argumentsFor({});
    expect(args.filter((arg) => arg.startsWith('--volume'))).toEqual([
      '--volume=/models/here:/models/1:ro',
      '--volume=/models/there:/models/2:ro',
    ]);
    expect(JSON.parse(args.at(-1) ?? '')).toMatchObject({
      models: [{ file: '/models/1/m.onnx' }, { file: '/models/2/m.onnx' }, { file: '/models/1/n.onnx' }],
      host: '127.0.0.1',
      port: 0,
      exitOnStdinEnd: true,
    });
  });

  test('publish a port of this machine only, on request', () => {
    const args = argumentsFor({}, { network: 'published' });
    expect(args).toContain('--publish=127.0.0.1::8080');
    expect(args).not.toContain('--network=host');
    expect(JSON.parse(args.at(-1) ?? '')).toMatchObject({ host: '0.0.0.0', port: 8080 });
    expect(argumentsFor({}, { network: 'published' }, 9000)).toContain('--publish=127.0.0.1:9000:8080');
  });

  test("put the user's own arguments before the image, so that they win", () => {
    const args = argumentsFor({}, { engineArgs: ['--ulimit', 'nofile=20000'], user: '1000:1000' });
    expect(args.slice(-4, -1)).toEqual(['--ulimit', 'nofile=20000', 'image:tag']);
    expect(args).toContain('--user=1000:1000');
  });
});

describe('a model that is mounted', () => {
  test('must be readable by somebody who owns nothing here, or the start is refused with the fix', () => {
    const dir = join(temporaryDir(), 'models');
    const file = join(dir, 'm.onnx');
    mkdirSync(dir, { mode: 0o755 });
    writeFileSync(file, '', { mode: 0o644 });
    expect(() => assertReadable(file, undefined)).not.toThrow();
    chmodSync(file, 0o600);
    expect(() => assertReadable(file, undefined)).toThrow(
      `${file}  a server in a container is not root inside and may not read this model\n  Let others read it: chmod o+r ${file} && chmod o+x ${dir}`,
    );
    expect(() => assertReadable(file, '1000:1000')).not.toThrow();
  });
});

test('network bytes are summed over all interfaces but loopback', () => {
  const table = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
    '    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0',
    '  eth0: 2000 3 0 0 0 0 0 0 700 4 0 0 0 0 0 0',
    '  eth1:10 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0',
  ].join('\n');
  expect(sumNetworkBytes(table)).toEqual({ networkRxBytes: 2010, networkTxBytes: 705 });
});
