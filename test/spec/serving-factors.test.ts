import { expect, test } from 'vitest';
import { SpecError } from '../../src/errors.ts';
import { parseSpec } from '../../src/spec/index.ts';
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
