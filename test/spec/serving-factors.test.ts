import { expect, test } from 'vitest';
import { SpecError } from '../../src/errors.ts';
import { serverSettingsOf } from '../../src/run/index.ts';
import { parseSpec } from '../../src/spec/index.ts';
import type { Level } from '../../src/spec/types.ts';
import { TWO_CPUS } from './hosts.ts';

function parse(lines: string) {
  return parseSpec(`name: a\n${lines}\n`, 'a.yaml', TWO_CPUS).spec;
}

function refusal(lines: string): string {
  try {
    parse(lines);
    return '';
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
}

test('batching, instances and the cache are factors; a cache is named after its entries', () => {
  const { factors } = parse(`factors:
  model: [mnist-cnn, resnet18]
  max_batch: [off, 8]
  max_queue_delay_ms: [0, 0.5]
  preferred_batch: [none, 4]
  instances: [1, 2]
  max_queue: [10, 1000]
  cache: [off, 50, { entries: 100 }, { name: large, value: 1000 }]`);
  expect(factors.max_batch?.map(({ value }) => value)).toEqual(['off', 8]);
  expect(factors.max_queue_delay_ms?.map(({ value }) => value)).toEqual([0, 0.5]);
  expect(factors.cache).toEqual([
    { name: 'off', value: 'off' },
    { name: '50', value: 50 },
    { name: '100', value: 100 },
    { name: 'large', value: 1000 },
  ]);
});

test('levels that the server does not have are refused', () => {
  const text = refusal(`factors:
  model: [mnist-cnn, resnet18]
  max_batch: [0, on]
  max_queue_delay_ms: [-1, 2ms]
  cache: [off, { entries: 0 }]`);
  expect(text).toContain('off, or a whole number of items, e.g. 8');
  expect(text).toContain('a number of milliseconds, e.g. 2');
  expect(text).toContain('a whole number of at least 1, e.g. 100');
});

test('settings of batching are refused where it is off at every level', () => {
  expect(refusal('factors: { model: [mnist-cnn, resnet18] }\nfixed: { max_queue_delay_ms: 2 }')).toBe(
    `a.yaml:3:30  "max_queue_delay_ms" has no effect, because "max_batch" is off at every level
  Add "max_batch", e.g. max_batch: [off, 8], or leave "max_queue_delay_ms" out.`,
  );
});

test('a preferred size beyond every max_batch is refused, alone or among others', () => {
  const text = refusal(`fixed: { model: mnist-cnn }
factors:
  max_batch: [off, 4, 8]
  preferred_batch: [none, 8, [2, 16]]`);
  expect(text).toBe(`a.yaml:5:30  a preferred size of 16 has no effect, because "max_batch" is at most 8
  Leave it out, or give "max_batch" a level of at least 16.`);
});

test('popularity is part of the workload, and left out of the spec where the file says nothing', () => {
  const factors = 'factors: { model: [mnist-cnn, resnet18] }\n';
  expect(parse(`${factors}generator: { popularity: { zipf: 0.9 }, inputs: 50 }`).generator).toEqual({
    connections: 64,
    popularity: { kind: 'zipf', exponent: 0.9 },
    inputs: 50,
  });
  expect(parse(`${factors}generator: { popularity: uniform }`).generator.popularity).toEqual({ kind: 'uniform' });
  expect(parse(factors).generator).toEqual({ connections: 64 });
  expect(refusal(`${factors}generator: { popularity: zipf }`)).toContain('in-turn, uniform or a Zipf exponent');
});

test('images are sent one a request: other batches are refused unless they are excluded', () => {
  const factors = 'fixed: { model: mnist-cnn }\nfactors:\n  protocol: [rest-binary, image]\n  batch: [1, 4]';
  expect(refusal(factors)).toContain(
    `a.yaml:5:14  a batch of 4 cannot be sent as images: a request is one image
  Leave it out, or exclude it: { when: { protocol: image, batch: 4 }, why: "one image a request" }.`,
  );
  expect(refusal(`${factors}\nexclude: [{ when: { protocol: image, batch: 4 }, why: one }]`)).toBe('');
  expect(refusal('fixed: { model: mnist-cnn, batch: 4 }\nfactors:\n  protocol: [rest-json, rest-binary]')).toBe('');
});

test('a gateway is a factor, with a CPU set of its own where one is named', () => {
  const { factors, server } = parse(
    'server: { cpuset: "0", gateway_cpuset: 0 }\nfixed: { model: mnist-cnn }\nfactors: { gateway: [off, on] }',
  );
  expect(factors.gateway?.map(({ value }) => value)).toEqual(['off', 'on']);
  expect(server.gatewayCpuset).toBe('0');
  expect(parse('fixed: { model: mnist-cnn }\nfactors: { batch: [1, 2] }').fixed).not.toHaveProperty('gateway');
});

test('a gateway is refused where it cannot pass on what is asked for, each time with what to do', () => {
  expect(refusal('fixed: { model: mnist-cnn }\nfactors:\n  protocol: [rest-binary, grpc]\n  gateway: [off, on]')).toBe(
    '',
  );
  expect(
    refusal(
      'server: { url: "http://127.0.0.1:9" }\nfixed: { model: mnist-cnn, gateway: on }\nfactors: { batch: [1, 2] }',
    ),
  ).toMatchInlineSnapshot(`
    "a.yaml:3:28  factor "gateway" cannot be applied to a server that already runs
      What can be applied here: model, batch, sequence_length, protocol, popularity, load. Remove it."
  `);
  expect(
    refusal(
      'server: { url: "http://127.0.0.1:9" }\nfixed: { model: mnist-cnn, gateway: off }\nfactors: { batch: [1, 2] }',
    ),
  ).toBe('');
});

test("a gateway's CPU set exists, is not the generator's, and is given only where there is a gateway", () => {
  const fixed = 'fixed: { model: mnist-cnn, gateway: on }\nfactors: { batch: [1, 2] }';
  expect(refusal(`server: { gateway_cpuset: "7" }\n${fixed}`)).toMatchInlineSnapshot(`
    "a.yaml:2:27  CPU set "7" names CPU 7, which this machine does not have
      Use CPUs out of "0-1"."
  `);
  expect(refusal(`server: { gateway_cpuset: "1" }\n${fixed}`)).toMatchInlineSnapshot(`
    "a.yaml:2:27  gateway and generator would share CPU 1, and latency would be that of a disturbed generator
      Keep it out of this CPU set, or give the generator another with "generator.cpuset"."
  `);
  expect(refusal(`server: { gateway_cpuset: "0" }\n${fixed.replace('on }', 'off }')}`)).toMatchInlineSnapshot(`
    "a.yaml:2:11  "server.gateway_cpuset" has no effect, because "gateway" is on at no level
      Add "gateway", e.g. gateway: [off, on], or leave "server.gateway_cpuset" out."
  `);
});

test('deadlines, body limits, loaded models, several preferred sizes and popularity are factors', () => {
  const { factors } =
    parse(`fixed: { model: mnist-cnn, max_batch: 8, colocated: { name: n, model: mnist-cnn, load: { rate: 1 } } }
factors:
  deadline_ms: [off, 0.5, 50]
  body_limit: [1MB, 256MB]
  max_loaded: [off, 1]
  placement: [apart, together]
  preferred_batch: [none, 4, [2, 4]]
  popularity: [in-turn, uniform, { zipf: 1.2 }]`);
  const values = (factor: string) => factors[factor]?.map(({ value }) => value);
  expect(values('deadline_ms')).toEqual(['off', 0.5, 50]);
  expect(values('body_limit')).toEqual([1e6, 256e6]);
  expect(values('max_loaded')).toEqual(['off', 1]);
  expect(factors.preferred_batch?.at(2)).toEqual({ name: '2+4', value: [2, 4] });
  expect(factors.popularity?.at(2)).toEqual({ name: 'zipf-1.2', value: { kind: 'zipf', exponent: 1.2 } });
  const server = serverSettingsOf(
    {
      ...Object.fromEntries(Object.entries(parse('fixed: { model: mnist-cnn }\nfactors: { batch: [1, 2] }').fixed)),
      ...Object.fromEntries(Object.entries(factors).map(([factor, levels]) => [factor, levels.at(-1) as Level])),
      max_batch: { name: '8', value: 8 },
    },
    { name: 'mnist-cnn', file: 'm.onnx' },
  );
  expect(server).toMatchObject({
    ...{ maxLoaded: 1, bodyLimitBytes: 256e6 },
    models: [{ deadlineMs: 50, batching: { maxBatch: 8, preferredBatches: [2, 4] } }],
  });
});

test('a limit of loaded models, or a second popularity, that would change nothing is refused', () => {
  const factors = 'factors: { batch: [1, 2] }\n';
  expect(refusal(`${factors}fixed: { model: mnist-cnn, max_loaded: 1 }`)).toMatchInlineSnapshot(`
    "a.yaml:3:40  "max_loaded" has no effect, because every server has one model: "placement" is "together" at no level
      Add neighbours under "colocated" and "placement: together", or leave "max_loaded" out."
  `);
  expect(
    refusal(`${factors}fixed: { model: mnist-cnn, popularity: uniform }\ngenerator: { popularity: { zipf: 1 } }`),
  ).toMatchInlineSnapshot(`
    "a.yaml:4:14  popularity is given twice, by "generator.popularity" and by the factor "popularity"
      Remove "generator.popularity"."
  `);
});
