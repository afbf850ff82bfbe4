import { expect, test } from 'vitest';
import { defaultEnergySpec, parseSpec } from '../../src/spec/index.ts';
import { TWO_CPUS } from './hosts.ts';

const EVERYTHING = `
name: everything
design: { method: latin-hypercube, points: 12, replicates: 3, seed: -7 }
server: { engine: docker, cpuset: 0, ready_timeout: 90s, base_image: "node:22", network: published, engine_args: ["--ulimit=nofile=20000"] }
generator: { cpuset: "1", connections: 16 }
factors:
  load: [calm, { name: burst, rate: 200, arrivals: constant }, { name: eight, concurrency: 8 }]
  model: [squeezenet1.1, ./mine.onnx, { name: mine, value: models/other.onnx }]
  memory: [512MB, 1GiB]
  spinning: [false, true]
  cpus: [0.5, 1]
fixed: { batch: 4, protocol: rest-json }
loads:
  calm: { utilization: 0.25 }
exclude:
  - { when: { cpus: 0.5, spinning: [true], model: [squeezenet1.1, mine] }, why: spinning eats the quota }
measure:
  warmup: 1.5s
  max_warmup: 1m
  window: 500ms
  windows: 4
  precision: { latency_p50_ms: 10%, latency_mean_ms: 2.5% }
  confidence: 99%
  max: 2m
  timeout: 3s
  slo: { latency_ms: 100 }
  calibration: 4s
  retries: 2
  idle_gate: 0s
energy: { source: command, command: read-plug --watts, idle: 8s, estimate: { idle_w: 20, core_power_w: 9 } }
objectives: [{ minimize: latency_p50_ms }, { maximize: goodput_rps }]
contexts: [model]
`;

function parse(text: string) {
  return parseSpec(text, 'specs/a.yaml', TWO_CPUS);
}

test('units, names and settings of a spec arrive as the rest of dse uses them', () => {
  const { spec } = parse(EVERYTHING);
  expect(spec).toMatchObject({
    name: 'everything',
    file: 'specs/a.yaml',
    design: { method: 'latin-hypercube', points: 12, replicates: 3, seed: -7 },
    server: {
      engine: 'docker',
      cpuset: '0',
      readyTimeoutMs: 90_000,
      container: { baseImage: 'node:22', network: 'published', engineArgs: ['--ulimit=nofile=20000'] },
    },
    generator: { cpuset: '1', connections: 16 },
    measure: {
      warmupS: 1.5,
      maxWarmupS: 60,
      windowS: 0.5,
      windows: 4,
      precision: { latency_p50_ms: 0.1, latency_mean_ms: 0.025 },
      confidence: 0.99,
      maxS: 120,
      timeoutMs: 3000,
      sloLatencyMs: 100,
      calibrationS: 4,
      retries: 2,
      idleGateS: 0,
    },
    energy: { source: 'command', command: 'read-plug --watts', idleS: 8, estimate: { idleW: 20, corePowerW: 9 } },
    objectives: [
      { response: 'latency_p50_ms', direction: 'minimize' },
      { response: 'goodput_rps', direction: 'maximize' },
    ],
    contexts: ['model'],
  });
});

test('a level has the name it is written with, and the value that is applied', () => {
  const { factors, fixed } = parse(EVERYTHING).spec;
  expect(factors.memory).toEqual([
    { name: '512MB', value: 512e6 },
    { name: '1GiB', value: 2 ** 30 },
  ]);
  expect(factors.spinning).toEqual([
    { name: 'false', value: false },
    { name: 'true', value: true },
  ]);
  expect(factors.model).toEqual([
    { name: 'squeezenet1.1', value: 'squeezenet1.1' },
    { name: './mine.onnx', value: './mine.onnx' },
    { name: 'mine', value: 'models/other.onnx' },
  ]);
  expect(fixed.batch).toEqual({ name: '4', value: 4 });
});

test('a load level carries its definition, from `loads`, from itself, or from the default', () => {
  const calm = { kind: 'utilization', utilization: 0.25, arrivals: 'poisson' };
  const { factors, loads } = parse(EVERYTHING).spec;
  expect(factors.load).toEqual([
    { name: 'calm', value: calm },
    { name: 'burst', value: { kind: 'rate', rateRps: 200, arrivals: 'constant' } },
    { name: 'eight', value: { kind: 'concurrency', concurrency: 8 } },
  ]);
  expect(Object.keys(loads)).toEqual(['calm', 'burst', 'eight']);

  const named = parse('name: a\nfactors: { model: [resnet18, mnist-cnn], load: [light, medium, high] }').spec;
  expect(named.factors.load?.map(({ value }) => value)).toEqual(
    [0.3, 0.6, 0.9].map((utilization) => ({ kind: 'utilization', utilization, arrivals: 'poisson' })),
  );
});

test('varied factors keep the order they are written in', () => {
  expect(Object.keys(parse(EVERYTHING).spec.factors)).toEqual(['load', 'model', 'memory', 'spinning', 'cpus']);
});

test('levels of a rule are level names, one or several', () => {
  expect(parse(EVERYTHING).spec.exclude).toEqual([
    {
      when: { cpus: ['0.5'], spinning: ['true'], model: ['squeezenet1.1', 'mine'] },
      why: 'spinning eats the quota',
    },
  ]);
});

test('what the smallest spec leaves out is filled in', () => {
  const { spec } = parse('name: small\nfixed: { model: mnist-cnn }\n');
  expect(spec).toMatchInlineSnapshot(`
    {
      "contexts": [],
      "design": {
        "method": "full-factorial",
        "replicates": 1,
        "seed": 1,
      },
      "energy": {
        "estimate": {
          "corePowerW": 6,
          "idleW": 10,
        },
        "hwmonRoot": "/sys/class/hwmon",
        "idleS": 5,
        "powercapRoot": "/sys/class/powercap",
        "source": "auto",
      },
      "exclude": [],
      "factors": {},
      "file": "specs/a.yaml",
      "fixed": {
        "batch": {
          "name": "1",
          "value": 1,
        },
        "colocated": {
          "name": "none",
          "value": "none",
        },
        "execution_mode": {
          "name": "sequential",
          "value": "sequential",
        },
        "graph_optimization": {
          "name": "all",
          "value": "all",
        },
        "inter_op_threads": {
          "name": "1",
          "value": 1,
        },
        "load": {
          "name": "medium",
          "value": {
            "arrivals": "poisson",
            "kind": "utilization",
            "utilization": 0.6,
          },
        },
        "model": {
          "name": "mnist-cnn",
          "value": "mnist-cnn",
        },
        "protocol": {
          "name": "rest-binary",
          "value": "rest-binary",
        },
        "spinning": {
          "name": "false",
          "value": false,
        },
        "threads": {
          "name": "1",
          "value": 1,
        },
        "variant": {
          "name": "fp32",
          "value": "fp32",
        },
      },
      "generator": {
        "connections": 64,
      },
      "loads": {
        "medium": {
          "arrivals": "poisson",
          "kind": "utilization",
          "utilization": 0.6,
        },
      },
      "measure": {
        "calibrationS": 2,
        "confidence": 0.95,
        "idleGateS": 10,
        "maxS": 60,
        "maxWarmupS": 30,
        "precision": {},
        "retries": 0,
        "timeoutMs": 10000,
        "warmupS": "auto",
        "windowS": 5,
        "windows": 3,
      },
      "name": "small",
      "objectives": [
        {
          "direction": "minimize",
          "response": "latency_p99_ms",
        },
        {
          "direction": "minimize",
          "response": "energy_per_inference_j",
        },
        {
          "direction": "maximize",
          "response": "throughput_ips",
        },
      ],
      "server": {
        "engine": "native",
        "readyTimeoutMs": 60000,
      },
    }
  `);
});

test('the energy settings of a spec that says nothing are to be had without a spec', () => {
  expect(defaultEnergySpec()).toEqual(parse('name: small\nfixed: { model: mnist-cnn }\n').spec.energy);
});

test('limits of responses become gates, a loss one against the base variant', () => {
  const { spec } = parse(`
name: limits
fixed: { model: mnist-cnn }
factors: { variant: [fp32, fp16] }
constraints: { latency_p99_ms: { max: 50 }, accuracy_top1: { min: 0.9, max_loss: 0.7% } }
`);
  expect(spec.constraints).toEqual([
    { response: 'latency_p99_ms', relation: '<=', limit: 50 },
    { response: 'accuracy_top1', relation: '>=', limit: 0.9 },
    { response: 'accuracy_top1.loss', relation: '<=', limit: 0.007, lossOf: 'accuracy_top1' },
  ]);
});

test('the spec is frozen at every depth', () => {
  const { spec } = parse(EVERYTHING);
  expect(Object.isFrozen(spec.factors.model?.[0])).toBe(true);
  expect(Object.isFrozen(spec.exclude[0]?.when.cpus)).toBe(true);
  expect(Object.isFrozen(spec.loads.calm)).toBe(true);
});

test('any part of the file can be located later, and what is left out at the nearest part around it', () => {
  const { locate } = parse(EVERYTHING);
  expect(locate(['factors', 'cpus', 1])).toBe('specs/a.yaml:11:15');
  expect(locate(['fixed', 'batch'])).toBe('specs/a.yaml:12:17');
  expect(locate(['fixed', 'threads'])).toBe('specs/a.yaml:12:8');
  expect(locate(['nowhere', 'at', 'all'])).toBe('specs/a.yaml:2:1');
});

test('anchors and merges of YAML work, and are located where they are used', () => {
  const { spec, locate } = parse(`
name: anchors
factors:
  model: &models [squeezenet1.1, resnet18]
  batch: [1, 2]
exclude:
  - { when: { model: *models, batch: 2 }, why: too slow }
`);
  expect(spec.exclude[0]?.when.model).toEqual(['squeezenet1.1', 'resnet18']);
  expect(locate(['exclude', 0, 'when', 'model'])).toBe('specs/a.yaml:7:22');
});
