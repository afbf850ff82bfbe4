import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SpecError } from '../../src/errors.ts';
import { type HostFacts, parseSpec } from '../../src/spec/index.ts';
import { TWO_CPUS } from './hosts.ts';

const THREE_CPUS = { ...TWO_CPUS, onlineCpus: [0, 1, 2] };

/** The message a text is refused with; '' where it is accepted. */
function refusal(text: string, host: HostFacts = TWO_CPUS): string {
  try {
    parseSpec(text, 'a.yaml', host);
    return '';
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
}

/** The refusal of a spec that is good but for the given lines. */
function refusalOf(lines: string, host: HostFacts = TWO_CPUS): string {
  return refusal(`name: a\nfixed: { model: mnist-cnn }\n${lines}\n`, host);
}

/** As `refusalOf`, with levels of factors beside the model. */
function refusalOfFactors(lines: string, host: HostFacts = TWO_CPUS): string {
  return refusal(`name: a\nfactors:\n  model: [mnist-cnn, resnet18]\n${lines}\n`, host);
}

test('every problem of a file is reported at once, in reading order', () => {
  const text = `name: "a b"
desing: { seed: 3 }
design: { replicates: 0, seed: 4294967296, method: latin }
server: { engine: dockr, cpuset: "0-7" }
generator: { cpuset: "0" }
factors:
  model: [squeezenet, mobilenetv2]
  batch: [8]
  thread: [1, 2]
  threads: [0, 1.5, two]
  cpus: [0.5, 3]
  variant: [fp32, int4]
  colocated: [none, { name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }]
  memory: [512, 1GB]
  spinning: []
  protocol: [rest-json, rest-json]
  load: [light, heavy]
fixed: { batch: 1, spinnin: true }
loads:
  foo: { utilization: 30 }
  bar: { rate: 3, concurrency: 2 }
  baz: { rate: 3, arivals: poisson }
  qux: { concurrency: 3, arrivals: poisson }
  unused: { rate: 3 }
exclude:
  - { when: { protocol: grpc }, why: slow }
  - { when: { batch: 8 }, why: "" }
  - { when: { thrads: 1 }, why: typo }
  - { when: {}, why: none }
measure: { window: 5, max: 3s, precision: { latency_p98_ms: 10% } }
energy: { source: rapl, command: watts }
objectives: [{ minimise: latency_p99_ms }, { minimize: latncy_p50_ms }, { maximize: goodput_rps }, { minimize: goodput_rps }]
contexts: [modle, model, model]
`;
  expect(refusal(text)).toMatchInlineSnapshot(`
    "a.yaml:1:7  "name" is "a b"
      Give a name of letters, digits, dots, dashes and underscores, e.g. my-experiment.
    a.yaml:2:1  unknown key "desing"
      Did you mean "design"?
    a.yaml:3:23  "design.replicates" is 0
      Give a whole number of at least 1, e.g. 3.
    a.yaml:3:32  "design.seed" is 4294967296
      Give a whole number from -2147483648 to 2147483647, e.g. 42.
    a.yaml:3:52  "design.method" is "latin"
      Give one of: full-factorial, fractional-factorial, random, latin-hypercube.
    a.yaml:4:19  "server.engine" is "dockr"
      Give one of: native, docker, podman.
    a.yaml:4:34  CPU set "0-7" names CPU 2-7, which this machine does not have
      Use CPUs out of "0-1".
    a.yaml:4:34  server and generator would share CPU 0, and the load would disturb what it measures
      Give them CPU sets without a CPU in common.
    a.yaml:7:11  unknown model "squeezenet"
      Did you mean "squeezenet1.1"? A model of your own is given by its path, e.g. ./model.onnx.
    a.yaml:8:10  factor "batch" has one level (8)
      An effect needs two. Add a level, e.g. [1, 8], or move "batch" to "fixed".
    a.yaml:9:3  unknown factor "thread"
      Did you mean "threads"?
    a.yaml:10:13  a level of factor "threads" is 0
      Give a whole number of at least 1, e.g. 2.
    a.yaml:10:16  a level of factor "threads" is 1.5
      Give a whole number of at least 1, e.g. 2.
    a.yaml:10:21  a level of factor "threads" is "two"
      Give a whole number of at least 1, e.g. 2.
    a.yaml:11:15  a quota of 3 CPUs is more than the 2 CPUs the server can have
      Lower it, or widen "server.cpuset" ("0-7").
    a.yaml:12:19  a level of factor "variant" is "int4"
      Give a variant that this version can make: fp32, fp16, int8-static, int8-dynamic, pruned-30, sparse-50, or such as pruned-30+int8-static; for models that ship with them: distilled, pruned-50-finetuned.
    a.yaml:14:12  a level of factor "memory" is 512
      Give an amount of memory with its unit (kB, MB, GB, KiB, MiB, GiB), e.g. 512MB.
    a.yaml:15:13  factor "spinning" has no levels
      An effect needs two. Add them, e.g. [false, true], or remove the factor.
    a.yaml:16:25  factor "protocol" has level "rest-json" twice
      Remove one of the two.
    a.yaml:17:17  load "heavy" is not defined
      Define it under "loads", e.g. heavy: { utilization: 0.6 }.
    a.yaml:18:10  factor "batch" is both varied and fixed
      Remove it from "factors" or from "fixed".
    a.yaml:18:20  unknown factor "spinnin"
      Did you mean "spinning"?
    a.yaml:20:23  "loads.foo.utilization" is 30
      Give a share of capacity above 0 and at most 2, e.g. 0.6.
    a.yaml:21:8  "loads.bar" is {"rate":3,"concurrency":2}
      Give exactly one of utilization, rate or concurrency, e.g. { utilization: 0.6 }.
    a.yaml:22:19  unknown key "arivals" in "loads.baz"
      Did you mean "arrivals"?
    a.yaml:23:8  "loads.qux" is {"concurrency":3,"arrivals":"poisson"}
      Give utilization or rate beside arrivals, or leave arrivals out: a closed loop has none.
    a.yaml:24:3  load "unused" is defined, but no level uses it
      Add "unused" to the levels of factor "load", or remove the definition.
    a.yaml:26:25  this rule matches nothing: factor "protocol" has no level "grpc"
      Its levels are: rest-json, rest-json.
    a.yaml:27:32  "exclude[1].why" is ""
      Give the reason, e.g. "more threads than quota".
    a.yaml:28:15  this rule names an unknown factor "thrads"
      Did you mean "threads"?
    a.yaml:29:13  this rule names no factor, so it would exclude everything
      Name factors and levels, e.g. { cpus: 0.5, threads: 2 }.
    a.yaml:30:20  "measure.window" is 5
      Give a duration with its unit (ms, s, m, h), e.g. 5s.
    a.yaml:30:45  unknown response "latency_p98_ms"
      Did you mean "latency_p90_ms"?
    a.yaml:31:25  "energy.command" is not used under source "rapl"
      Set source: command, or remove the command.
    a.yaml:32:16  unknown key "minimise" in "objectives[0]"
      Did you mean "minimize"?
    a.yaml:32:56  unknown response "latncy_p50_ms"
      Did you mean "latency_p50_ms"?
    a.yaml:32:85  objective "goodput_rps" has no latency to count by
      Give one, e.g. measure: { slo: { latency_ms: 100 } }.
    a.yaml:32:112  objective "goodput_rps" has no latency to count by
      Give one, e.g. measure: { slo: { latency_ms: 100 } }.
    a.yaml:32:112  response "goodput_rps" is an objective twice
      Remove one of the two.
    a.yaml:33:12  context "modle" is not a varied factor
      Did you mean "model"?
    a.yaml:33:26  context "model" is named twice
      Remove one of the two."
  `);
});

test('an empty file is named', () => {
  expect(refusal('  \n\n')).toMatchInlineSnapshot(`
    "a.yaml:1:1  the file is empty
      Describe an experiment in it, or start from a copy of configs/quickstart.yaml."
  `);
});

test('broken YAML is shown with its place', () => {
  expect(refusal('name: a\nfactors: { batch: [1, 2\n')).toMatchInlineSnapshot(`
    "a.yaml:3:1  this is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
      Correct the YAML here; later lines may be misread until then.
    a.yaml:3:1  this is not valid YAML: Flow map in block collection must be sufficiently indented and end with a }
      Correct the YAML here; later lines may be misread until then."
  `);
  expect(refusal('name: a\nname: b\n')).toMatchInlineSnapshot(`
    "a.yaml:2:1  this is not valid YAML: Map keys must be unique
      Correct the YAML here; later lines may be misread until then."
  `);
});

test('a file that is no experiment says what one looks like', () => {
  expect(refusal('3')).toMatchInlineSnapshot(`
    "a.yaml:1:1  the file holds 3
      Give an experiment, e.g. "name: my-experiment" followed by "factors:"."
  `);
  expect(refusal('# nothing but a comment')).toMatchInlineSnapshot(`
    "a.yaml:1:1  the file is empty
      Give an experiment, e.g. "name: my-experiment" followed by "factors:"."
  `);
  expect(refusal('- a\n- b')).toMatchInlineSnapshot(`
    "a.yaml:1:1  the file holds ["a","b"]
      Give an experiment, e.g. "name: my-experiment" followed by "factors:"."
  `);
});

test('keys without a value are empty, and a key that must be there is missing', () => {
  expect(refusal('factors:\nfixed: { model: mnist-cnn, batch: }\n')).toMatchInlineSnapshot(`
    "a.yaml:1:1  "name" is missing
      Give a name of letters, digits, dots, dashes and underscores, e.g. my-experiment.
    a.yaml:1:1  "factors" is empty
      Give factors with their levels, e.g. { batch: [1, 8] }.
    a.yaml:2:28  "fixed.batch" is empty
      Give a whole number of at least 1, e.g. 4."
  `);
});

test('a file of aliases within aliases is refused and not expanded', () => {
  const bomb = [
    'a: &a [1,1,1,1,1,1,1,1,1]',
    ...'bcdefgh'.split('').map((key, at) => {
      const before = 'abcdefg'[at];
      return `${key}: &${key} [${Array(9).fill(`*${before}`).join(',')}]`;
    }),
  ].join('\n');
  expect(refusal(bomb)).toMatchInlineSnapshot(`
    "a.yaml:1:1  this YAML cannot be read: Excessive alias count indicates a resource exhaustion attack
      Write the repeated parts out instead of using aliases."
  `);
});

test('a factor with one level says how to get two, or where to put it', () => {
  expect(refusal('name: a\nfactors:\n    model: [resnet18, mnist-cnn]\n    batch: [8]\n')).toBe(
    [
      'a.yaml:4:12  factor "batch" has one level (8)',
      '  An effect needs two. Add a level, e.g. [1, 8], or move "batch" to "fixed".',
    ].join('\n'),
  );
  expect(refusalOfFactors('  variant: [fp32]')).toMatchInlineSnapshot(`
    "a.yaml:4:12  factor "variant" has one level (fp32)
      An effect needs two. Add a level, e.g. [fp32, int8-static], or move "variant" to "fixed"."
  `);
});

test('the same level under two spellings or names is a duplicate', () => {
  expect(
    refusalOfFactors('  cpus: [0.5, 0.50]\n  memory: [1GB, 1000MB]\n  load: [light, { name: calm, utilization: 0.3 }]'),
  ).toMatchInlineSnapshot(`
    "a.yaml:4:15  factor "cpus" has level "0.5" twice
      Remove one of the two.
    a.yaml:5:17  factor "memory" has the same level under two names, "1GB" and "1000MB"
      Remove one of the two, or make them differ.
    a.yaml:6:17  factor "load" has the same level under two names, "light" and "calm"
      Remove one of the two, or make them differ."
  `);
});

test('a spec without a model asks for one', () => {
  expect(refusal('name: a\nfactors: { batch: [1, 2] }')).toMatchInlineSnapshot(`
    "a.yaml:2:10  no model is named
      Add "model" under "factors", e.g. model: [squeezenet1.1, mobilenetv2], or under "fixed"."
  `);
});

test('models given by path are not looked up', () => {
  expect(refusal('name: a\nfactors: { model: [./x.onnx, models/y.onnx, /abs/z] }')).toBe('');
});

test('CPU sets must exist, stay apart, and leave one to the generator', () => {
  expect(refusalOf('server: { cpuset: "0,2" }')).toMatchInlineSnapshot(`
    "a.yaml:3:19  CPU set "0,2" names CPU 2, which this machine does not have
      Use CPUs out of "0-1"."
  `);
  expect(refusalOf('server: { cpuset: "0" }\ngenerator: { cpuset: "0-1" }')).toMatchInlineSnapshot(`
    "a.yaml:3:19  server and generator would share CPU 0, and the load would disturb what it measures
      Give them CPU sets without a CPU in common."
  `);
  expect(refusalOf('server: { cpuset: "0-1" }')).toMatchInlineSnapshot(`
    "a.yaml:3:19  CPU set "0-1" leaves no CPU to the load generator
      Leave at least one CPU of the machine out of it."
  `);
  expect(refusalOf('server: { cpuset: "1-0" }')).toMatchInlineSnapshot(`
    "a.yaml:3:19  "server.cpuset" is "1-0"
      Give CPU numbers as a list, e.g. "0-2,5"."
  `);
  expect(
    refusalOfFactors('  cpuset: ["0", "1"]\nserver: { cpuset: "0" }\ngenerator: { cpuset: "2" }', THREE_CPUS),
  ).toMatchInlineSnapshot(`
    "a.yaml:5:19  the CPU set of the server is given twice, by "server.cpuset" and by the factor "cpuset"
      Remove "server.cpuset"."
  `);
});

test('levels of a CPU set stay apart from the generator, which has the last CPU where nothing else is said', () => {
  expect(refusalOfFactors('  cpuset: ["0", "1"]')).toMatchInlineSnapshot(`
    "a.yaml:4:17  server and generator would share CPU 1, and the load would disturb what it measures
      Keep it out of this CPU set, or give the generator another with "generator.cpuset"."
  `);
  const four = { ...TWO_CPUS, onlineCpus: [0, 1, 2, 3] };
  expect(refusalOfFactors('  cpuset: ["0", "0-2"]', four)).toBe('');
  expect(refusalOfFactors('  cpuset: ["1", "1-3"]\ngenerator: { cpuset: "0" }', four)).toBe('');
  expect(refusalOf('generator: { cpuset: "0-3" }', four)).toMatchInlineSnapshot(`
    "a.yaml:3:22  CPU set "0-3" leaves no CPU to the server
      Leave at least one CPU of the machine out of it."
  `);
});

test('on a machine with one CPU server and generator may share it', () => {
  const one = { ...TWO_CPUS, onlineCpus: [0] };
  expect(refusalOf('server: { cpuset: "0" }\ngenerator: { cpuset: "0" }', one)).toBe('');
});

test('a quota that the CPUs of the server cannot give is refused', () => {
  expect(refusalOfFactors('  cpus: [1, 2]')).toMatchInlineSnapshot(`
    "a.yaml:4:13  a quota of 2 CPUs is more than the 1 CPU the server can have
      Lower it; the rest of the machine is kept for the load generator."
  `);
  expect(refusalOfFactors('  cpus: [0.5, 1.5]\nserver: { cpuset: "0" }')).toMatchInlineSnapshot(`
    "a.yaml:4:15  a quota of 1.5 CPUs is more than the 1 CPU the server can have
      Lower it, or widen "server.cpuset" ("0")."
  `);
});

test('a quota above one of several CPU sets is refused unless a rule excludes it', () => {
  const four = { ...TWO_CPUS, onlineCpus: [0, 1, 2, 3] };
  const factors = '  cpus: [1, 2]\n  cpuset: ["0", "0-1"]';
  expect(refusalOfFactors(factors, four)).toMatchInlineSnapshot(`
    "a.yaml:4:13  a quota of 2 CPUs is more than CPU set "0" has (1)
      Exclude the combination: { when: { cpus: 2, cpuset: "0" }, why: "quota above CPU set" }."
  `);
  const rule = '\nexclude: [{ when: { cpus: 2, cpuset: "0" }, why: quota above CPU set }]';
  expect(refusalOfFactors(`${factors}${rule}`, four)).toBe('');
});

test('memory beyond the machine is refused', () => {
  expect(refusalOfFactors('  memory: [1GB, 64GiB]')).toMatchInlineSnapshot(`
    "a.yaml:4:17  a memory limit of 64GiB is more than this machine has (8000MB)
      Lower it, or leave "memory" out for no limit."
  `);
});

test('limits that only Linux can apply natively are refused elsewhere, and nothing else is', () => {
  const mac = { ...TWO_CPUS, platform: 'darwin' };
  expect(refusalOfFactors('  cpus: [0.5, 1]\ngenerator: { cpuset: "1" }', mac)).toMatchInlineSnapshot(`
    "a.yaml:4:3  factor "cpus" cannot be applied: engine native limits resources through Linux, and this is darwin
      Remove it, or use an engine that can: docker, podman.
    a.yaml:5:22  "generator.cpuset" cannot be applied: processes are pinned through Linux, and this is darwin
      Remove it."
  `);
  expect(refusalOfFactors('  cpus: [0.5, 1]\nserver: { engine: docker }', mac)).toBe('');
  expect(refusalOfFactors('  threads: [1, 2]', mac)).toBe('');
  const { spec } = parseSpec('name: a\nfixed: { model: mnist-cnn, cpus: 0.5 }', 'a.yaml', mac, { engine: 'podman' });
  expect(spec.server.engine).toBe('podman');
});

test('rules that exclude everything are refused', () => {
  const rules = `exclude:
  - { when: { batch: [1, 2] , model: mnist-cnn }, why: x }
  - { when: { model: resnet18 }, why: y }`;
  expect(refusalOfFactors(`  batch: [1, 2]\n${rules}`)).toMatchInlineSnapshot(`
    "a.yaml:6:3  the rules exclude every combination of levels
      Remove a rule, or narrow one; \`dse plan\` shows how many points each rule takes."
  `);
});

test('a rule on a fixed factor must name its level', () => {
  expect(
    refusalOf('exclude: [{ when: { model: resnet18 }, why: x }, { when: { cpus: 1 }, why: y }]'),
  ).toMatchInlineSnapshot(`
    "a.yaml:3:28  this rule matches nothing: factor "model" has no level "resnet18"
      Its levels are: mnist-cnn.
    a.yaml:3:60  this rule matches nothing: factor "cpus" is neither varied nor fixed
      Known factors: model, variant, batch, protocol, threads, inter_op_threads, execution_mode, graph_optimization, spinning, colocated, load."
  `);
});

test('names that every JavaScript object knows are unknown factors like any other', () => {
  expect(
    refusalOfFactors('exclude: [{ when: { toString: 1 }, why: x }]\ncontexts: [constructor]'),
  ).toMatchInlineSnapshot(`
    "a.yaml:4:21  this rule names an unknown factor "toString"
      Known factors: model, variant, batch, protocol, threads, inter_op_threads, execution_mode, graph_optimization, spinning, colocated, load.
    a.yaml:5:12  context "constructor" is not a varied factor
      Known varied factors: model."
  `);
});

test('a design method has the setting it needs and no other', () => {
  expect(refusalOf('design: { method: random, fraction: 1/2 }')).toMatchInlineSnapshot(`
    "a.yaml:3:9  design method "random" needs "points"
      Add it, e.g. points: 24.
    a.yaml:3:27  "design.fraction" is not used by method "random"
      Remove it, or choose a method that uses it."
  `);
  expect(refusalOf('design: { method: fractional-factorial, fraction: 1/3 }')).toMatchInlineSnapshot(`
    "a.yaml:3:51  "design.fraction" is "1/3"
      Give a fraction 1/2, 1/4, 1/8, ... of the full design."
  `);
});

test('a fractional factorial takes two levels of each factor', () => {
  expect(
    refusalOfFactors('  batch: [1, 4, 8]\n  threads: [1, 2]\ndesign: { method: fractional-factorial, fraction: 1/2 }'),
  ).toMatchInlineSnapshot(`
    "a.yaml:4:10  factor "batch" has 3 levels (1, 4, 8), and a fractional factorial takes two
      Keep two levels, or take design: { method: latin-hypercube, points: N }."
  `);
});

test('objectives that nothing would measure are refused', () => {
  expect(
    refusalOf(
      'energy: { source: none }\nobjectives: [{ minimize: energy_per_inference_j }, { maximize: goodput_rps }]',
    ),
  ).toMatchInlineSnapshot(`
    "a.yaml:4:26  objective "energy_per_inference_j" is not measured under energy source "none"
      List objectives without it, or set energy: { source: auto }.
    a.yaml:4:64  objective "goodput_rps" has no latency to count by
      Give one, e.g. measure: { slo: { latency_ms: 100 } }."
  `);
});

test('default objectives that nothing would measure are refused too', () => {
  expect(refusalOf('energy: { source: none }')).toMatchInlineSnapshot(`
    "a.yaml:1:1  objective "energy_per_inference_j" is not measured under energy source "none"
      List objectives without it, or set energy: { source: auto }."
  `);
});

test('a precision is asked only of what has an interval', () => {
  expect(
    refusalOf('measure: { precision: { latency_max_ms: 10%, throughput_ips: 5%, latency_p75_ms: 10% } }'),
  ).toMatchInlineSnapshot(`
    "a.yaml:3:25  response "latency_max_ms" has no confidence interval that more windows would narrow
      Name one of: latency_mean_ms, latency_p50_ms, latency_p90_ms, latency_p95_ms, latency_p99_ms, latency_p999_ms.
    a.yaml:3:46  response "throughput_ips" has no confidence interval that more windows would narrow
      Name one of: latency_mean_ms, latency_p50_ms, latency_p90_ms, latency_p95_ms, latency_p99_ms, latency_p999_ms.
    a.yaml:3:66  unknown response "latency_p75_ms"
      Did you mean "latency_p95_ms"?"
  `);
});

test('a capacity within an objective needs the objective', () => {
  expect(refusalOf('objectives: [{ maximize: capacity_slo_rps }]')).toMatchInlineSnapshot(`
    "a.yaml:3:26  objective "capacity_slo_rps" has no latency to count by
      Give one, e.g. measure: { slo: { latency_ms: 100 } }."
  `);
});

test('windows must fit in the longest measurement', () => {
  expect(refusalOf('measure: { window: 30s, max: 20s }')).toMatchInlineSnapshot(`
    "a.yaml:3:20  3 windows of 30 s take 90 s, longer than "measure.max" (20 s)
      Raise "max", or lower "window" or "windows"."
  `);
});

test('inter-op threads cannot be varied where nothing reads them', () => {
  expect(refusalOfFactors('  inter_op_threads: [1, 2]')).toMatchInlineSnapshot(`
    "a.yaml:4:3  factor "inter_op_threads" has no effect under execution_mode "sequential"
      Add execution_mode: parallel under "fixed", or remove the factor."
  `);
  expect(refusalOfFactors('  inter_op_threads: [1, 2]\nfixed: { execution_mode: parallel }')).toBe('');
});

test('a refused level causes no second problem elsewhere', () => {
  expect(
    refusalOfFactors('  batch: [1, 0]\nexclude: [{ when: { batch: 1 }, why: x }]\ncontexts: [batch]'),
  ).toMatchInlineSnapshot(`
    "a.yaml:4:14  a level of factor "batch" is 0
      Give a whole number of at least 1, e.g. 4."
  `);
});

test('a constraint names a response once measured, a limit, and for a loss the base variant among the levels', () => {
  const lines = `constraints:
  accuracy_top1: { max_loss: 1% }
  latency_p98_ms: { max: 50 }
  goodput_rps: { min: 3 }
  latency_p99_ms: { max_loss: 1 }
  throughput_ips: {}`;
  expect(refusalOf(lines)).toMatchInlineSnapshot(`
    "a.yaml:4:30  no configuration of variant fp32 is there to lose "accuracy_top1" against
      Vary the variant with fp32 among its levels, e.g. variant: [fp32, int8-static]; or give min or max instead.
    a.yaml:5:3  unknown response "latency_p98_ms"
      Did you mean "latency_p90_ms"?
    a.yaml:6:3  constrained response "goodput_rps" has no latency to count by
      Give one, e.g. measure: { slo: { latency_ms: 100 } }.
    a.yaml:7:31  "constraints.latency_p99_ms.max_loss" is 1
      Give a percentage above 0%, e.g. 1%.
    a.yaml:8:19  "constraints.throughput_ips" is {}
      Give limits of a response, e.g. { max: 50 }, { min: 0.9 } or { max_loss: 1% }."
  `);
  expect(
    refusalOfFactors('  variant: [fp16, int8-static]\nconstraints: { accuracy_top1: { max_loss: 1% } }'),
  ).toContain('no configuration of variant fp32 is there to lose "accuracy_top1" against');
  expect(refusalOfFactors('  variant: [fp32, int8-static]\nconstraints: { offered_rps: { max_loss: 1% } }')).toContain(
    'whether more or less of "offered_rps" is better is not known',
  );
});

test('whatever a file holds, it is parsed or refused with sentences and places', () => {
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
  const keys = ['name', 'design', 'server', 'generator', 'factors', 'fixed', 'loads', 'exclude', 'measure', 'energy'];
  const more = [
    'objectives',
    'contexts',
    'batch',
    'load',
    'model',
    'when',
    'why',
    'cpuset',
    'utilization',
    'pattern',
    'trace',
    '__proto__',
    'toString',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys, ...more), tie('tree'), { maxKeys: 5 }),
    ),
  }));
  const document = fc.dictionary(fc.constantFrom(...keys, ...more), tree, { maxKeys: 8 });
  fc.assert(
    fc.property(document, (value) => {
      const message = refusal(JSON.stringify(value));
      expect(message).toMatch(/^a\.yaml:\d+:\d+ {2}\S/);
    }),
    { numRuns: 300 },
  );
});
