import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SpecError } from '../../src/errors.ts';
import { type HostFacts, type Load, parseSpec } from '../../src/spec/index.ts';
import { parseTrace } from '../../src/spec/traces.ts';
import { TWO_CPUS } from './hosts.ts';

/** A machine on which these files exist. */
function hostWith(files: Readonly<Record<string, string>>): HostFacts {
  return { ...TWO_CPUS, readText: (path) => files[path] };
}

function specWith(load: string, measure = ''): string {
  return `name: a\nfixed: { model: mnist-cnn, load: moving }\nloads:\n  moving: ${load}\n${measure}\n`;
}

function loadOf(load: string, host: HostFacts = TWO_CPUS): Load | undefined {
  return parseSpec(specWith(load), 'specs/a.yaml', host).spec.loads.moving;
}

/** The message a load is refused with; '' where it is accepted. */
function refusalOf(load: string, host: HostFacts = TWO_CPUS, measure = ''): string {
  try {
    parseSpec(specWith(load, measure), 'specs/a.yaml', host);
    return '';
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
}

function refusalOfTrace(text: string): string {
  return refusalOf('{ rate: 40, pattern: { trace: day.txt } }', hostWith({ 'specs/day.txt': text }));
}

test('a pattern arrives as levels of the rate and seconds', () => {
  expect(loadOf('{ utilization: 0.5, pattern: { ramp: linear, from: 20%, to: 180%, over: 10s } }')).toEqual({
    kind: 'utilization',
    utilization: 0.5,
    arrivals: 'poisson',
    pattern: { kind: 'linear-ramp', from: 0.2, to: 1.8, overS: 10 },
  });
  const patterns = [
    '{ ramp: exponential, from: 50%, to: 200%, over: 15s }',
    '{ step: 300%, at: 5s, for: 2s }',
    '{ step: 50%, at: 500ms }',
    '{ sine: 100%, period: 10s }',
  ].map((pattern) => loadOf(`{ rate: 40, arrivals: constant, pattern: ${pattern} }`));
  expect(patterns.map((load) => (load?.kind === 'rate' ? load.pattern : undefined))).toEqual([
    { kind: 'exponential-ramp', from: 0.5, to: 2, overS: 15 },
    { kind: 'step', base: 1, level: 3, atS: 5, forS: 2 },
    { kind: 'step', base: 1, level: 0.5, atS: 0.5 },
    { kind: 'sine', amplitude: 1, periodS: 10 },
  ]);
});

test('a level that brings its own definition may bring a pattern', () => {
  const text =
    'name: a\nfactors:\n  model: [mnist-cnn, resnet18]\n  load: [light, { name: wave, rate: 9, pattern: { sine: 50%, period: 5s } }]\n';
  expect(parseSpec(text, 'a.yaml', TWO_CPUS).spec.factors.load?.[1]).toEqual({
    name: 'wave',
    value: {
      kind: 'rate',
      rateRps: 9,
      arrivals: 'poisson',
      pattern: { kind: 'sine', amplitude: 0.5, periodS: 5 },
    },
  });
});

test("a trace is read from the spec's folder, and its rates become part of the spec", () => {
  const host = hostWith({
    'specs/traces/day.txt': '# requests per hour\n3\n0\n 4.5 \r\n1e1\n\n',
    '/abs/day.txt': '7\n',
  });
  expect(loadOf('{ rate: 40, pattern: { trace: traces/day.txt } }', host)).toMatchObject({
    pattern: { kind: 'trace', rates: [3, 0, 4.5, 10] },
  });
  expect(loadOf('{ rate: 40, pattern: { trace: /abs/day.txt } }', host)).toMatchObject({ pattern: { rates: [7] } });
});

test('a trace is read once, so that what was checked is what is used', () => {
  let reads = 0;
  const host = { ...TWO_CPUS, readText: () => `${++reads}` };
  expect(loadOf('{ rate: 40, pattern: { trace: day.txt } }', host)).toMatchObject({ pattern: { rates: [1] } });
  expect(reads).toBe(1);
});

test('a pattern has one shape, with the keys of that shape', () => {
  const refusals = [
    '{ rate: 40, pattern: { } }',
    '{ rate: 40, pattern: { sine: 50%, step: 200%, at: 5s } }',
    '{ rate: 40, pattern: { ramp: linear, from: 20%, over: 20s } }',
    '{ rate: 40, pattern: { step: 200%, at: 5s, over: 2s } }',
    '{ rate: 40, pattern: { trace: day.txt, period: 10s } }',
    '{ rate: 40, pattern: sine }',
  ].map((load) => refusalOf(load));
  expect(refusals.join('\n')).toMatchInlineSnapshot(`
    "specs/a.yaml:4:32  "loads.moving.pattern" is {}
      Give exactly one of ramp, step, sine, trace, e.g. { ramp: linear, from: 20%, to: 180%, over: 20s }.
    specs/a.yaml:4:32  "loads.moving.pattern" is {"sine":"50%","step":"200%","at":"5s"}
      Give exactly one of ramp, step, sine, trace, e.g. { ramp: linear, from: 20%, to: 180%, over: 20s }.
    specs/a.yaml:4:32  "loads.moving.pattern" is {"ramp":"linear","from":"20%","over":"20s"}
      Give "from", "to" and "over" beside "ramp", and nothing else, e.g. { ramp: linear, from: 20%, to: 180%, over: 20s }.
    specs/a.yaml:4:32  "loads.moving.pattern" is {"step":"200%","at":"5s","over":"2s"}
      Give "at" beside "step", "for" where it ends again, and nothing else, e.g. { step: 300%, at: 5s, for: 2s }.
    specs/a.yaml:4:32  "loads.moving.pattern" is {"trace":"day.txt","period":"10s"}
      Give "trace" alone, e.g. { trace: traces/day.txt }.
    specs/a.yaml:4:32  "loads.moving.pattern" is "sine"
      Give exactly one of ramp, step, sine, trace, e.g. { ramp: linear, from: 20%, to: 180%, over: 20s }."
  `);
});

test('levels, amplitudes and times are judged, each where it stands', () => {
  const refusals = [
    '{ rate: 40, pattern: { ramp: cubic, from: 0%, to: -20%, over: 0s } }',
    '{ rate: 40, pattern: { sine: 101%, period: 10 } }',
    '{ rate: 40, pattern: { step: 3, at: 5s, four: 2s } }',
    '{ concurrency: 4, pattern: { sine: 50%, period: 10s } }',
  ].map((load) => refusalOf(load));
  expect(refusals.join('\n')).toMatchInlineSnapshot(`
    "specs/a.yaml:4:40  "loads.moving.pattern.ramp" is "cubic"
      Give one of: linear, exponential.
    specs/a.yaml:4:53  "loads.moving.pattern.from" is "0%"
      Give a percentage above 0%, e.g. 20%.
    specs/a.yaml:4:61  "loads.moving.pattern.to" is "-20%"
      Give a percentage above 0%, e.g. 180%.
    specs/a.yaml:4:73  "loads.moving.pattern.over" is "0s"
      Give a duration above zero, e.g. 20s.
    specs/a.yaml:4:40  "loads.moving.pattern.sine" is "101%"
      Give a percentage above 0% and at most 100%, e.g. 50%.
    specs/a.yaml:4:54  "loads.moving.pattern.period" is 10
      Give a duration with its unit (ms, s, m, h), e.g. 10s.
    specs/a.yaml:4:40  "loads.moving.pattern.step" is 3
      Give a percentage above 0%, e.g. 300%.
    specs/a.yaml:4:51  unknown key "four" in "loads.moving.pattern"
      Did you mean "for"?
    specs/a.yaml:4:11  "loads.moving" is {"concurrency":4,"pattern":{"sine":"50%","period":"10s"}}
      Give utilization or rate beside pattern, or leave pattern out: a closed loop has no rate to move."
  `);
});

test('a pattern that a trial cannot hold is refused', () => {
  const refusals = [
    '{ rate: 40, pattern: { ramp: linear, from: 20%, to: 180%, over: 20s } }',
    '{ rate: 40, pattern: { step: 300%, at: 14s, for: 2s } }',
    '{ rate: 40, pattern: { step: 300%, at: 15s } }',
    '{ rate: 40, pattern: { sine: 50%, period: 1m } }',
    '{ rate: 40, pattern: { trace: day.txt } }',
  ].map((load) => refusalOf(load, hostWith({ 'specs/day.txt': '1\n'.repeat(16) })));
  expect(refusals.join('\n')).toMatchInlineSnapshot(`
    "specs/a.yaml:4:32  the ramp of load "moving" takes 20 s, and a trial measures 3 x 5 s = 15 s
      Raise "measure.windows" to 4 (and "measure.max" to match), or make the pattern shorter.
    specs/a.yaml:4:32  the step of load "moving" takes 16 s, and a trial measures 3 x 5 s = 15 s
      Raise "measure.windows" to 4 (and "measure.max" to match), or make the pattern shorter.
    specs/a.yaml:4:32  the step of load "moving" takes 16 s, and a trial measures 3 x 5 s = 15 s
      Raise "measure.windows" to 4 (and "measure.max" to match), or make the pattern shorter.
    specs/a.yaml:4:32  the wave of load "moving" takes 60 s, and a trial measures 3 x 5 s = 15 s
      Raise "measure.windows" to 12 (and "measure.max" to match), or make the pattern shorter.
    specs/a.yaml:4:32  the trace of load "moving" takes 16 s, and a trial measures 3 x 5 s = 15 s
      Raise "measure.windows" to 4 (and "measure.max" to match), or make the pattern shorter."
  `);
  const measure = 'measure: { window: 5s, windows: 4 }';
  expect(refusalOf('{ rate: 40, pattern: { step: 300%, at: 15s } }', TWO_CPUS, measure)).toBe('');
});

test('a trace that is not one says what is wrong, and in which line', () => {
  const texts = ['', '\n \n# only a remark\n', '0\n0\n', '1\n2\n\n4\n', '1\n-2\nabc\nInfinity\n', '1, 2\n', '1e999\n'];
  expect(texts.map(refusalOfTrace).join('\n')).toMatchInlineSnapshot(`
    "specs/a.yaml:4:41  trace "day.txt" is empty
      Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped.
    specs/a.yaml:4:41  trace "day.txt" is empty
      Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped.
    specs/a.yaml:4:41  trace "day.txt" is 0 in every second, and cannot be scaled to a rate
      Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped.
    specs/a.yaml:4:41  trace "day.txt" has no rate in line 3 ("")
      Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped.
    specs/a.yaml:4:41  trace "day.txt" has no rate in line 2 ("-2"), and 2 more such lines
      Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped.
    specs/a.yaml:4:41  trace "day.txt" has no rate in line 1 ("1, 2")
      Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped.
    specs/a.yaml:4:41  trace "day.txt" has no rate in line 1 ("1e999")
      Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped."
  `);
});

test('a trace that is not there is named with its path, also where no file can be read', () => {
  const load = '{ rate: 40, pattern: { trace: day.txt } }';
  expect(refusalOf(load, hostWith({}))).toMatchInlineSnapshot(`
    "specs/a.yaml:4:41  trace "day.txt" cannot be read from specs/day.txt
      Give the path of a text file that exists here, from the spec's folder."
  `);
  expect(refusalOf(load)).toBe(refusalOf(load, hostWith({})));
});

test('a trace is refused as well where no level uses its load', () => {
  const text = 'name: a\nfixed: { model: mnist-cnn }\nloads: { day: { rate: 4, pattern: { trace: day.txt } } }\n';
  expect(() => parseSpec(text, 'a.yaml', TWO_CPUS)).toThrow('cannot be read from day.txt');
});

test('rates of a trace come back as they were written', () => {
  const rates = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(
      rates.filter((list) => list.some((rate) => rate > 0)),
      (list) => {
        expect(parseTrace(list.join('\n'))).toEqual({ rates: list.map((rate) => rate + 0) });
      },
    ),
  );
});
