import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDesign } from '../../src/design/index.ts';
import { compiledEntry } from '../../src/package-files.ts';
import { anyLevelCounts, anySeed, productOf, specOf } from './specs.ts';

const anyReplicates = fc.integer({ min: 1, max: 4 });

test('the run order is a permutation: every point once per block, counted from 1', () => {
  fc.assert(
    fc.property(anyLevelCounts, anySeed, anyReplicates, (counts, seed, replicates) => {
      const design = createDesign(specOf(counts, { seed, replicates }));
      const trials = design.ask().flatMap((configuration) => configuration.trials);
      expect(trials.map(({ runOrder }) => runOrder)).toEqual(trials.map((_, at) => at + 1));
      expect(trials).toHaveLength(productOf(counts) * replicates);
      expect(design.size).toBe(trials.length);
      for (let block = 1; block <= replicates; block++) {
        const inBlock = trials.filter((trial) => trial.block === block);
        expect(new Set(inBlock.map(({ pointId }) => pointId)).size).toBe(productOf(counts));
        expect(inBlock.every(({ replicate }) => replicate === block)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

test('loads of one configuration share one launch in each block', () => {
  fc.assert(
    fc.property(anyLevelCounts, anySeed, (counts, seed) => {
      const configurations = createDesign(specOf(counts, { seed, replicates: 2 })).ask();
      const loads = counts.load ?? 1;
      expect(configurations).toHaveLength((2 * productOf(counts)) / loads);
      for (const { levels, trials, configurationId } of configurations) {
        expect(trials).toHaveLength(loads);
        expect(levels).not.toHaveProperty('load');
        for (const trial of trials) expect(trial.levels).toMatchObject(levels);
        expect(configurationId).toMatch(/^[0-9a-f]{12}$/);
      }
    }),
    { numRuns: 50 },
  );
});

test('blocks differ in order, and so do the loads within configurations', () => {
  const configurations = createDesign(specOf({ a: 4, b: 4, load: 4 }, { replicates: 2 })).ask();
  const orderIn = (wanted: number) =>
    configurations.filter(({ block }) => block === wanted).map(({ configurationId }) => configurationId);
  expect(orderIn(1)).not.toEqual(orderIn(2));
  const loadOrders = configurations.map(({ trials }) => trials.map(({ levels }) => levels.load?.name).join());
  expect(new Set(loadOrders).size).toBeGreaterThan(5);
});

test('a point may come at any place of a block', () => {
  const places = new Set(
    Array.from({ length: 60 }, (_, seed) =>
      createDesign(specOf({ a: 3 }, { seed }))
        .ask()
        .findIndex(({ levels }) => levels.a?.name === 'a1'),
    ),
  );
  expect([...places].sort()).toEqual([0, 1, 2]);
});

test('the same spec gives the same order in a new process', () => {
  const spec = specOf({ a: 3, b: 2, load: 3 }, { seed: -42, replicates: 3 });
  const script = `
    import { createDesign } from ${JSON.stringify(pathToFileURL(compiledEntry('design/index')).href)};
    console.log(JSON.stringify(createDesign(${JSON.stringify(spec)}).ask()));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual(JSON.parse(JSON.stringify(createDesign(spec).ask())));
});

test('the order is pinned, so that a change of it is on purpose', () => {
  const order = createDesign(specOf({ a: 2, load: 2 }, { seed: 42, replicates: 2 }))
    .ask()
    .flatMap(({ block, trials }) => trials.map(({ levels }) => `${block} ${levels.a?.name} ${levels.load?.name}`));
  expect(order).toMatchInlineSnapshot(`
    [
      "1 a1 load2",
      "1 a1 load1",
      "1 a2 load1",
      "1 a2 load2",
      "2 a1 load2",
      "2 a1 load1",
      "2 a2 load1",
      "2 a2 load2",
    ]
  `);
});

test('a factorial is asked once and ignores what it is told', () => {
  const design = createDesign(specOf({ a: 2 }));
  const [configuration] = design.ask();
  const [trial] = configuration?.trials ?? [];
  expect(trial).toBeDefined();
  if (trial !== undefined) design.tell({ trial, responses: { latency_p50_ms: 1 } });
  expect(design.ask()).toEqual([]);
});
