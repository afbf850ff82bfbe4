import { expect, test } from 'vitest';
import { SpecError } from '../../src/errors.ts';
import { neighboursOf, parseSpec } from '../../src/spec/index.ts';
import { TWO_CPUS } from './hosts.ts';

const FOUR_CPUS = { ...TWO_CPUS, onlineCpus: [0, 1, 2, 3] };

function specOf(lines: string, host = TWO_CPUS) {
  return parseSpec(`name: a\nfixed: { model: mnist-cnn }\n${lines}\n`, 'a.yaml', host).spec;
}

/** The message that a spec is refused with; '' where it is accepted. */
function refusalOf(lines: string, host = TWO_CPUS): string {
  try {
    specOf(lines, host);
    return '';
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
}

test('a level of the factor colocated is none, one neighbour, or a list of several', () => {
  const { factors } = specOf(
    `
factors:
  colocated:
    - none
    - { name: quiet, model: mobilenetv2, load: { utilization: 0.5 } }
    - - { name: busy, model: resnet18, variant: int8-static, batch: 4, threads: 2, cpus: 0.5, cpuset: 2, memory: 512MB, load: { concurrency: 3 } }
      - { name: steady, model: mnist-cnn, load: { rate: 20, arrivals: constant } }
`,
    FOUR_CPUS,
  );
  expect(factors.colocated?.map(({ name }) => name)).toEqual(['none', 'quiet', 'busy+steady']);
  expect(factors.colocated?.map(neighboursOf)).toEqual([
    [],
    [
      {
        ...{ name: 'quiet', model: 'mobilenetv2', variant: 'fp32', batch: 1, threads: 1 },
        load: { kind: 'utilization', utilization: 0.5, arrivals: 'poisson' },
      },
    ],
    [
      {
        ...{ name: 'busy', model: 'resnet18', variant: 'int8-static', batch: 4, threads: 2 },
        ...{ cpus: 0.5, cpuset: '2', memoryBytes: 512e6 },
        load: { kind: 'concurrency', concurrency: 3 },
      },
      {
        ...{ name: 'steady', model: 'mnist-cnn', variant: 'fp32', batch: 1, threads: 1 },
        load: { kind: 'rate', rateRps: 20, arrivals: 'constant' },
      },
    ],
  ]);
});

test('a spec without the factor has no neighbours, and one may be fixed', () => {
  expect(neighboursOf(specOf('').fixed.colocated)).toEqual([]);
  const { fixed } = parseSpec(
    'name: a\nfixed: { model: mnist-cnn, colocated: { name: n, model: resnet18, load: { rate: 1 } } }',
    'a.yaml',
    TWO_CPUS,
  ).spec;
  expect(neighboursOf(fixed.colocated)).toMatchObject([{ name: 'n', model: 'resnet18' }]);
});

test('every mistake in a neighbour is told with its place', () => {
  expect(
    refusalOf(`
factors:
  colocated:
    - { name: a, model: resnet19, load: { rate: 1 } }
    - [{ name: b, model: resnet18, load: { rate: 1 } }, { name: b, model: resnet18, cpuset: "1", load: { rate: 1 } }]
    - { name: c, model: resnet18, cpuset: "0,7", memory: 100GB, load: { rate: 1 } }
    - { name: d, model: resnet18, cpus: 1.5, load: { rate: 1 } }
`),
  ).toMatchInlineSnapshot(`
    "a.yaml:6:25  unknown model "resnet19"
      Did you mean "resnet18"? A model of your own is given by its path, e.g. ./model.onnx.
    a.yaml:7:7  two neighbours of one level are named "b"
      Give each a name of its own, so that the results can tell them apart.
    a.yaml:7:93  neighbour "b" and the load generator would share CPU 1, and latency would be that of a disturbed generator
      Keep it out of this CPU set, or give the generator another with "generator.cpuset".
    a.yaml:8:43  CPU set "0,7" of neighbour "c" names CPU 7, which this machine does not have
      Use CPUs out of "0-1".
    a.yaml:8:58  the memory limit of neighbour "c" is more than this machine has (8000MB)
      Lower it, or leave "memory" out for no limit.
    a.yaml:9:41  a quota of 1.5 CPUs is more than the 1 CPU neighbour "d" can have
      Lower it; above that it would limit nothing."
  `);
});

test('what the schema refuses in a neighbour is told as what it is, in a list too', () => {
  const levels = (level: string) => refusalOf(`factors:\n  colocated: [none, ${level}]`);
  expect(levels('some')).toMatchInlineSnapshot(`
    "a.yaml:4:21  a level of factor "colocated" is "some"
      Give none, one neighbour such as { name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }, or a list of such."
  `);
  expect(levels('[]')).toMatchInlineSnapshot(`
    "a.yaml:4:21  a level of factor "colocated" is []
      Give none, one neighbour such as { name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }, or a list of such."
  `);
  expect(levels('{ name: n, model: resnet18 }')).toMatchInlineSnapshot(`
    "a.yaml:4:21  "factors.colocated[1].load" is missing
      Give exactly one of utilization, rate or concurrency, e.g. { utilization: 0.6 }."
  `);
  expect(levels('{ name: n, modle: resnet18, load: { rate: 1 } }')).toMatchInlineSnapshot(`
    "a.yaml:4:21  "factors.colocated[1].model" is missing
      Give the name of a model, or the path of an ONNX file, e.g. mobilenetv2.
    a.yaml:4:32  unknown key "modle" in "factors.colocated[1]"
      Did you mean "model"?"
  `);
  expect(levels('[{ name: n, model: resnet18, load: { utilization: 1.5 } }]')).toMatchInlineSnapshot(`
    "a.yaml:4:56  "factors.colocated[1][0].load" is {"utilization":1.5}
      Give a load that a neighbour can hold: a utilization of at most 1, a rate or a concurrency."
  `);
  expect(levels('{ name: n, model: resnet18, load: { rate: 5, pattern: { step: 200% } } }')).toMatchInlineSnapshot(`
    "a.yaml:4:66  unknown key "pattern" in "factors.colocated[1].load"
      Known keys: utilization, rate, concurrency, arrivals."
  `);
});

test('a placement that changes nothing, and limits that it cannot hold, are refused with the exclusion to write', () => {
  expect(refusalOf('factors: { placement: [together, apart] }')).toMatchInlineSnapshot(`
    "a.yaml:3:12  factor "placement" has no effect without neighbours
      Add them under "colocated", e.g. { name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }, or remove the factor."
  `);
  const spec = (rules: string, limits = '') => `
factors:
  colocated: [none, { name: n, model: resnet18, ${limits} load: { rate: 1 } }]
  placement: [together, apart]
exclude: [${rules}]
`;
  expect(refusalOf(spec(''))).toMatchInlineSnapshot(`
    "a.yaml:6:3  colocated "none" is the same server under every placement, and would be measured once for each
      Exclude all but one: { when: { colocated: none, placement: together }, why: "nothing to place" }."
  `);
  const rule = '{ when: { colocated: none, placement: together }, why: "nothing to place" }';
  expect(refusalOf(spec(rule))).toBe('');
  expect(refusalOf(spec(rule, 'cpus: 0.5,'))).toMatchInlineSnapshot(`
    "a.yaml:5:49  "cpus" of neighbour "n" cannot be applied under placement "together": its model is then inside the server under test
      Remove it, or exclude the combination: { when: { colocated: n, placement: together }, why: "limits of its own" }."
  `);
});
