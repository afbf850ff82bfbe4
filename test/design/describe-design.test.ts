import { expect, test } from 'vitest';
import { createDesign, describeDesign } from '../../src/design/index.ts';
import { specFromYaml } from './specs.ts';

const STUDY = `
name: a
design: { replicates: 3, seed: 42 }
factors:
  model: [mnist-cnn, resnet18]
  threads: [1, 2]
  cpus: [0.5, 1, 2]
  load: [light, high]
exclude:
  - { when: { cpus: 0.5, threads: 2 }, why: more threads than quota }
  - { when: { cpus: [0.5, 1], model: resnet18, load: high }, why: cannot keep up }
`;

test('a plan tells points before and after exclusions, and what each rule takes', () => {
  const { order, ...plan } = describeDesign(specFromYaml(STUDY));
  expect(plan).toMatchInlineSnapshot(`
    {
      "aliases": [],
      "blocks": 3,
      "candidates": 24,
      "estimatedS": 1023,
      "exclusions": [
        {
          "matches": 4,
          "when": "cpus=0.5, threads=2",
          "why": "more threads than quota",
        },
        {
          "matches": 4,
          "when": "cpus=0.5|1, model=resnet18, load=high",
          "why": "cannot keep up",
        },
      ],
      "factors": [
        {
          "factor": "model",
          "levels": [
            "mnist-cnn",
            "resnet18",
          ],
        },
        {
          "factor": "threads",
          "levels": [
            "1",
            "2",
          ],
        },
        {
          "factor": "cpus",
          "levels": [
            "0.5",
            "1",
            "2",
          ],
        },
        {
          "factor": "load",
          "levels": [
            "light",
            "high",
          ],
        },
      ],
      "fixed": [
        {
          "factor": "variant",
          "level": "fp32",
        },
        {
          "factor": "batch",
          "level": "1",
        },
        {
          "factor": "protocol",
          "level": "rest-binary",
        },
        {
          "factor": "inter_op_threads",
          "level": "1",
        },
        {
          "factor": "execution_mode",
          "level": "sequential",
        },
        {
          "factor": "graph_optimization",
          "level": "all",
        },
        {
          "factor": "spinning",
          "level": "false",
        },
        {
          "factor": "colocated",
          "level": "none",
        },
      ],
      "gridPoints": 24,
      "launches": 30,
      "method": "full-factorial",
      "neighbours": [],
      "points": 17,
      "replicates": 3,
      "seed": 42,
      "trials": 51,
      "warnings": [],
    }
  `);
  expect(order).toEqual(createDesign(specFromYaml(STUDY)).ask());
});

test('rules that overlap are each counted by themselves', () => {
  const { exclusions, candidates, points } = describeDesign(specFromYaml(STUDY));
  const matched = exclusions.reduce((sum, { matches }) => sum + matches, 0);
  // resnet18 at cpus 0.5, threads 2 and high load is matched by both rules.
  expect(candidates - points).toBe(matched - 1);
});

test('a spec with nothing varied has one point', () => {
  expect(describeDesign(specFromYaml('name: a\nfixed: { model: mnist-cnn }'))).toMatchObject({
    gridPoints: 1,
    points: 1,
    trials: 1,
    launches: 1,
  });
});
