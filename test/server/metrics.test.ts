import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeInferResponse, encodeInferRequest } from '../../src/kserve/index.ts';
import type { NamedTensor } from '../../src/models/types.ts';
import { packageFile } from '../../src/package-files.ts';
import { startServer } from '../../src/server/index.ts';
import { ModelMetrics } from '../../src/server/metrics/model-metrics.ts';
import { addSystemMetrics } from '../../src/server/metrics/system-metrics.ts';
import { plainSettings, TinyModels } from '../engine/tiny-models.ts';

const files = new TinyModels();
afterAll(() => files[Symbol.dispose]());

function inputs(value: number): NamedTensor[] {
  const a: NamedTensor = { name: 'a', type: 'float32', shape: [1, 3], data: Float32Array.of(value, 1, 1) };
  return [a, { ...a, name: 'b' }];
}

/** Metrics that the dashboard in docs/ draws. */
function namesInDashboard(): string[] {
  const dashboard = readFileSync(packageFile('docs/grafana-dashboard.json'), 'utf8');
  const names = new Set(dashboard.match(/\b(?:dse|process)_[a-z_]+?(?=(?:_bucket|_sum|_count)?\{)/g));
  expect(names.size).toBeGreaterThan(12);
  // Those of the gateway are in its own test.
  return [...names].filter((name) => !name.startsWith('dse_gateway_'));
}

/** Values of a metrics page by name and labels. */
function parseMetrics(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('a server that remembers answers', () => {
  it('gives them again to the same inputs only, and says so in headers and metrics', async () => {
    const model = { name: 'tiny', file: files.add(), engine: plainSettings, cache: { entries: 2 } };
    await using server = await startServer({ models: [model], host: '127.0.0.1', port: 0 });
    const send = async (value: number, protocol: 'rest-json' | 'rest-binary' = 'rest-binary') => {
      const { headers, body } = encodeInferRequest(protocol, inputs(value));
      const response = await fetch(`${server.url}/v2/models/tiny/infer`, { method: 'POST', headers, body });
      const answer = decodeInferResponse(
        Object.fromEntries(response.headers),
        new Uint8Array(await response.arrayBuffer()),
      );
      expect(answer.outputs[0]?.data).toEqual(Float32Array.of(2 * value, 2, 2));
      return /cache;desc=(\w+)/.exec(response.headers.get('server-timing') ?? '')?.[1];
    };
    expect(await send(1)).toBe('miss');
    expect(await send(1)).toBe('hit');
    // By the numbers, not by how they were written down.
    expect(await send(1, 'rest-json')).toBe('hit');
    expect(await send(2)).toBe('miss');
    expect(await send(1)).toBe('hit');
    // A third answer takes the place of the one used longest ago.
    expect(await send(3)).toBe('miss');
    expect(await send(1)).toBe('hit');
    expect(await send(2)).toBe('miss');
    await fetch(`${server.url}/v2/models/tiny/infer`, {
      method: 'POST',
      body: JSON.stringify({
        inputs: inputs(1).map(({ name }) => ({ name, shape: [2, 3], datatype: 'FP32', data: [] })),
      }),
    });

    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    const page = await response.text();
    const metrics = parseMetrics(page);
    for (const name of namesInDashboard()) {
      // Energy and control groups are there only where the machine has them.
      if (!/^dse_(?:rapl|cgroup)_/.test(name)) expect(page).toContain(`# HELP ${name} `);
    }
    const tiny = 'model="tiny",version="1"';
    expect(metrics.get(`dse_requests_total{${tiny}}`)).toBe(8);
    expect(metrics.get(`dse_cache_lookups_total{${tiny},result="hit"}`)).toBe(4);
    expect(metrics.get(`dse_cache_lookups_total{${tiny},result="miss"}`)).toBe(4);
    expect(metrics.get(`dse_request_compute_seconds_count{${tiny}}`)).toBe(4);
    expect(metrics.get(`dse_run_items_sum{${tiny}}`)).toBe(4);
    expect(metrics.get(`dse_model_loaded{${tiny}}`)).toBe(1);
    expect(metrics.get(`dse_cache_bytes{${tiny}}`)).toBeGreaterThan(0);
    expect(metrics.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(metrics.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  });
});

describe('the errors of a model', () => {
  it('are counted by status wherever a request to it ends: in its fit to the model, its deadline, or the model not being ready', async () => {
    const model = { name: 'tiny', file: files.add(), engine: plainSettings };
    await using server = await startServer({ models: [model], host: '127.0.0.1', port: 0 });
    const send = async (tensors: readonly NamedTensor[], parameters: object = {}) => {
      const { headers, body } = encodeInferRequest('rest-json', tensors);
      const json = JSON.stringify({ ...JSON.parse(Buffer.from(body).toString()), parameters });
      const length = { ...headers, 'content-length': String(json.length) };
      const sent = { method: 'POST', headers: length, body: json };
      return (await fetch(`${server.url}/v2/models/tiny/infer`, sent)).status;
    };
    expect(await send(inputs(1))).toBe(200);
    expect(await send(inputs(1).slice(1))).toBe(400);
    expect(await send(inputs(1), { timeout: -1 })).toBe(400);
    expect(await send(inputs(1), { timeout: 0.001 })).toBe(504);
    await fetch(`${server.url}/v2/repository/models/tiny/unload`, { method: 'POST' });
    expect(await send(inputs(1))).toBe(503);
    const metrics = parseMetrics(await (await fetch(`${server.url}/metrics`)).text());
    const errors = [400, 503, 504].map((status) =>
      metrics.get(`dse_request_errors_total{model="tiny",version="1",status="${status}"}`),
    );
    expect(errors).toEqual([2, 1, 1]);
    expect(metrics.get('dse_requests_total{model="tiny",version="1"}')).toBe(1);
  });
});

describe('system metrics', () => {
  async function metricsOf(tree: Readonly<Record<string, string>>): Promise<Map<string, number>> {
    const root = path.join(files.folder, `system-${Math.random()}`);
    for (const [file, text] of Object.entries(tree)) {
      mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
    const registry = new Registry();
    const [cgroupOfSelf, cgroupRoot, powercapRoot] = ['self', 'cgroup', 'powercap'].map((dir) => path.join(root, dir));
    addSystemMetrics(registry, { cgroupOfSelf, cgroupRoot, powercapRoot } as never);
    return parseMetrics(await registry.metrics());
  }

  it('are those of the control group, version 2, and of every energy counter', async () => {
    const metrics = await metricsOf({
      self: '0::/a/b\n',
      'cgroup/a/b/cpu.stat': 'usage_usec 2500000\nuser_usec 1\n',
      'cgroup/a/b/memory.current': '4096\n',
      'powercap/intel-rapl:0/name': 'package-0\n',
      'powercap/intel-rapl:0/energy_uj': '1500000\n',
    });
    expect(metrics.get('dse_cgroup_cpu_seconds_total')).toBe(2.5);
    expect(metrics.get('dse_cgroup_memory_bytes')).toBe(4096);
    expect(metrics.get('dse_rapl_joules_total{zone="intel-rapl:0",name="package-0"}')).toBe(1.5);
  });

  it('are those of the control group, version 1', async () => {
    const metrics = await metricsOf({
      self: '4:cpu,cpuacct:/a\n3:memory:/a\n',
      'cgroup/cpuacct/a/cpuacct.usage': '3000000000\n',
      'cgroup/memory/a/memory.usage_in_bytes': '8192\n',
    });
    expect(metrics.get('dse_cgroup_cpu_seconds_total')).toBe(3);
    expect(metrics.get('dse_cgroup_memory_bytes')).toBe(8192);
  });

  it('are left out where there is nothing to read', async () => {
    const names = [...(await metricsOf({ self: '' })).keys()];
    expect(names).toEqual(['process_cpu_seconds_total', 'process_resident_memory_bytes']);
  });
});

describe("a model's metrics", () => {
  it('count every answer and run, however many there were since they were last read, also after a second load', async () => {
    const registry = new Registry();
    const metrics = new ModelMetrics(registry, () => []);
    const inference = { outputs: [], returned: [], queueUs: 1_000, computeUs: 3_000 };
    const first = metrics.watch('m', '1');
    for (let i = 0; i < 300; i++) {
      first.onAnswer(inference);
      first.onRun(2, 1);
    }
    const labels = '{model="m",version="1"}';
    const read = async () => {
      const page = parseMetrics(await registry.metrics());
      const names = ['dse_requests_total', 'dse_request_queue_seconds_count', 'dse_run_items_sum'];
      return names.map((name) => page.get(`${name}${labels}`));
    };
    expect(await read()).toEqual([300, 300, 600]);
    const second = metrics.watch('m', '1');
    first.onAnswer(inference);
    second.onAnswer({ ...inference, cache: 'hit' });
    second.onRun(3, 3);
    expect(await read()).toEqual([302, 301, 603]);
    const page = parseMetrics(await registry.metrics());
    expect(page.get('dse_cache_lookups_total{model="m",version="1",result="hit"}')).toBe(1);
    expect(page.get(`dse_request_compute_seconds_sum${labels}`)).toBeCloseTo(0.903);
    expect(page.get(`dse_run_requests_sum${labels}`)).toBe(303);
  });
});
