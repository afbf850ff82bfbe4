import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeInferRequest } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { TinyModels } from '../engine/tiny-models.ts';
import { ServerProcess, settingsFor } from './server-rig.ts';

const models = new TinyModels();
afterAll(() => models[Symbol.dispose]());

describe('the server process', () => {
  it('prints where it listens, and nothing else, once it answers', async () => {
    const { server, url } = await ServerProcess.listening(settingsFor(models.add()));
    await using _server = server;
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    expect(server.output).toBe(`{"dse":"listening","url":"${url}"}\n`);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('answers what is in flight after %s, then ends with 0', async (signal) => {
    const { server, url } = await ServerProcess.listening(settingsFor(models.slow()));
    await using _server = server;
    const a: NamedTensor = {
      name: 'a',
      type: 'float32',
      shape: [700, 700],
      data: new Float32Array(490_000).fill(0.001),
    };
    const { headers, body } = encodeInferRequest('rest-binary', [a]);
    const answer = fetch(`${url}/v2/models/tiny/infer`, { method: 'POST', headers, body });
    await sleep(100);
    server.child.kill(signal);
    expect((await answer).status).toBe(200);
    const answeredMs = performance.now();
    expect(await server.exit).toBe(0);
    // The kept-alive connection of the answered request must not hold it up until a timeout.
    expect(performance.now() - answeredMs).toBeLessThan(3_000);
  });

  it('ends when its standard input does, if told to', async () => {
    const { server } = await ServerProcess.listening(settingsFor(models.add(), { exitOnStdinEnd: true }));
    await using _server = server;
    server.child.stdin?.end();
    expect(await server.exit).toBe(0);
  });

  it('goes on without standard input otherwise', async () => {
    const { server, url } = await ServerProcess.listening(settingsFor(models.add()));
    await using _server = server;
    server.child.stdin?.end();
    await sleep(200);
    expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
  });
});

describe('a server that cannot start says why and ends with 2', () => {
  async function complaint(argument: string): Promise<string> {
    await using server = new ServerProcess(argument);
    expect(await server.exit).toBe(2);
    expect(server.output).toBe('');
    return server.errors;
  }

  it('when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await complaint(JSON.stringify(settingsFor(models.add(), { port })))).toBe(
      `127.0.0.1:${port}  port ${port} is taken\n  Stop what listens there, or choose another port (0 lets the system choose).\n`,
    );
    other.close();
  });

  it('when there is no such address', async () => {
    const text = await complaint(JSON.stringify(settingsFor(models.add(), { host: '192.0.2.1' })));
    expect(text).toBe(
      '192.0.2.1:0  this machine has no address "192.0.2.1"\n  Use 127.0.0.1, or 0.0.0.0 for all addresses.\n',
    );
  });

  it('when the model is missing or none', async () => {
    expect(await complaint(JSON.stringify(settingsFor('/nowhere.onnx')))).toContain(
      '/nowhere.onnx  there is no such file',
    );
    const file = models.file('text.onnx', 'text');
    expect(await complaint(JSON.stringify(settingsFor(file)))).toContain(`${file}  onnxruntime cannot load it: `);
  });

  it('when its settings are not JSON', async () => {
    expect(await complaint('{')).toContain('JSON');
  });
});
