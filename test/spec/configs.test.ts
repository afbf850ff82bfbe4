import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeDesign } from '../../src/design/index.ts';
import { packageFile } from '../../src/package-files.ts';
import { parseSpec } from '../../src/spec/index.ts';
import { WITH_FILES } from './hosts.ts';

const configs = readdirSync(packageFile('configs')).filter((name) => name.endsWith('.yaml'));

function readConfig(name: string) {
  const text = readFileSync(packageFile(`configs/${name}`), 'utf8');
  return { text, spec: parseSpec(text, `configs/${name}`, WITH_FILES).spec };
}

test('the specs to start from are there', () => {
  expect(configs).toEqual(
    expect.arrayContaining(['quickstart.yaml', 'full-factorial.yaml', 'nightly.yaml', 'load-patterns.yaml']),
  );
});

test.each(configs)('%s runs on a machine with two CPUs and is named like its file', (name) => {
  expect(`${readConfig(name).spec.name}.yaml`).toBe(name);
});

test.each(configs)('%s tells editors its schema', (name) => {
  expect(readConfig(name).text).toMatch(/^# yaml-language-server: \$schema=\.\/experiment\.schema\.json\n/);
});

test('the quickstart needs no limit, and leaves a margin below its two minutes', () => {
  const { spec } = readConfig('quickstart.yaml');
  expect(Object.keys({ ...spec.factors, ...spec.fixed })).not.toEqual(expect.arrayContaining(['cpus']));
  const { trials, launches, estimatedS } = describeDesign(spec);
  expect({ trials, launches }).toEqual({ trials: 8, launches: 4 });
  expect(estimatedS).toBeLessThan(90);
});

test('the nightly sweep has replicates and takes less than half an hour', () => {
  const { replicates, trials, estimatedS } = describeDesign(readConfig('nightly.yaml').spec);
  expect({ replicates, trials }).toEqual({ replicates: 3, trials: 60 });
  expect(estimatedS).toBeGreaterThan(15 * 60);
  expect(estimatedS).toBeLessThan(28 * 60);
});

test('the load patterns show a constant load and every shape, within four minutes', () => {
  const { spec } = readConfig('load-patterns.yaml');
  const kinds = Object.values(spec.loads).map((load) => (load.kind === 'concurrency' ? load.kind : load.pattern?.kind));
  expect(kinds).toEqual([undefined, 'linear-ramp', 'exponential-ramp', 'step', 'step', 'sine', 'trace']);
  expect(describeDesign(spec).estimatedS).toBeLessThan(4 * 60);
});
