import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JournalRecord, REASON_CODES, TRIAL_PHASES, VERDICTS } from '../../src/store/index.ts';
import { decodeRecord, encodeRecord } from '../../src/store/record-codec.ts';
import { doneRecord, failedRecord, generatorCeiling, idlePower } from './examples.ts';

// JSON has no negative zero; nothing that is measured can be one.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const count = fc.integer({ min: 1 });
const name = fc.string({ minLength: 1 });
// A key "__proto__" would set the prototype instead of a member when the object is made by assignment.
const key = name.filter((text) => text !== '__proto__');
const responses = fc.dictionary(key, fc.oneof(number, fc.string()), { noNullPrototype: true });

const measured = {
  host: fc.string(),
  startedAt: fc
    .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
};

const base = {
  ...measured,
  kind: fc.constant('trial' as const),
  trialId: name,
  pointId: name,
  replicate: count,
  block: count,
  runOrder: count,
  attempt: count,
  factors: fc.dictionary(key, fc.oneof(number, fc.string({ unit: 'binary' }), fc.boolean()), { noNullPrototype: true }),
  durationS: number.map(Math.abs),
  engine: fc.constantFrom('native' as const, 'docker' as const, 'podman' as const),
};

const record: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({
    ...base,
    state: fc.constant('done' as const),
    verdict: fc.constantFrom(...VERDICTS),
    reasons: fc.array(fc.record({ code: fc.constantFrom(...REASON_CODES), detail: fc.string() })),
    responses,
    windows: fc.array(fc.record({ startNs: number, endNs: number, responses }), { maxLength: 4 }),
    applied: fc.record({ cpuset: fc.string(), cpus: number, memoryBytes: number }, { requiredKeys: [] }),
    mechanism: fc.string(),
  }),
  fc.record(
    {
      ...base,
      state: fc.constant('failed' as const),
      phase: fc.constantFrom(...TRIAL_PHASES),
      reason: fc.string(),
      exit: fc.record({
        exitCode: fc.option(fc.integer(), { nil: undefined }),
        signal: fc.option(fc.string(), { nil: undefined }),
        isOomKilled: fc.boolean(),
        lastLines: fc.array(fc.string()),
      }),
    },
    { requiredKeys: [...(Object.keys(base) as (keyof typeof base)[]), 'state', 'phase', 'reason'] },
  ),
  fc
    .tuple(
      fc.record({
        ...measured,
        kind: fc.constant('idle-power' as const),
        block: count,
        durationS: number.map(Math.abs),
        source: fc.string(),
        description: fc.string(),
        isEstimate: fc.boolean(),
        powerW: number,
        lo: number,
        hi: number,
      }),
      fc.record({ disturbedBecause: fc.string() }, { requiredKeys: [] }),
    )
    .map(([power, disturbed]) => ({ ...power, ...disturbed })),
  fc.record({
    host: fc.string(),
    startedAt: fc.constant('2026-11-22T01:57:00.000Z'),
    kind: fc.constant('model-profile' as const),
    model: fc.string(),
    bareLatencyMs: number,
    bareThroughputIps: number,
  }),
  fc.record({
    ...measured,
    kind: fc.constant('generator-ceiling' as const),
    ceilingRps: number,
    steps: fc.array(
      fc.record(
        {
          rateRps: number,
          achievedRps: number,
          lagP50Ms: number,
          lagP99Ms: number,
          lateShare: number,
          busyCpus: number,
          isHeld: fc.boolean(),
        },
        { requiredKeys: ['rateRps', 'achievedRps', 'lateShare', 'busyCpus', 'isHeld'] },
      ),
      { maxLength: 4 },
    ),
  }),
);

describe('a line of the journal', () => {
  it('gives back the record it was made from', () => {
    fc.assert(
      fc.property(record, (original) => {
        expect(decodeRecord(encodeRecord(original), 'journal.jsonl:1')).toEqual(original);
      }),
    );
  });

  it('is one line, whatever texts the record holds', () => {
    fc.assert(fc.property(record, (original) => !encodeRecord(original).includes('\n')));
  });

  it('is refused when any digit in it was changed', () => {
    const line = encodeRecord(doneRecord({ responses: { latency_p50_ms: 4.5 }, windows: [] }));
    expect(() => decodeRecord(line.replace('4.5', '4.6'), '/r/journal.jsonl:3')).toThrow(
      [
        `/r/journal.jsonl:3  this line does not match its checksum ("${line.slice(0, 60)}...")`,
        '  All other lines are untouched. Delete this one, keeping a copy of the file:',
        "    sed -i.bak 3d '/r/journal.jsonl'",
        '  and run again: if it held a trial, only that is repeated.',
      ].join('\n'),
    );
  });

  it('is refused when it is not JSON, quoting how it starts', () => {
    expect(() => decodeRecord('garbage', '/r/journal.jsonl:3')).toThrow(
      '/r/journal.jsonl:3  this line is not a journal line ("garbage")',
    );
  });

  it('of an unknown format is refused, not guessed at', () => {
    const line = encodeRecord(doneRecord()).replace('"format":1', '"format":2');
    expect(() => decodeRecord(line, '/r/journal.jsonl:3')).toThrow(
      '/r/journal.jsonl:3  this line has journal format 2, and this dse reads format 1',
    );
  });

  it('is not written for a number that JSON would turn into null', () => {
    const record = doneRecord({ responses: { latency_p50_ms: Number.NaN } });
    expect(() => encodeRecord(record)).toThrow('trial t1  its record cannot be stored: responses.latency_p50_ms');
    expect(() => encodeRecord(failedRecord({ durationS: Number.POSITIVE_INFINITY }))).toThrow('durationS');
    expect(() => encodeRecord({ ...idlePower, block: 2, hi: Number.NaN })).toThrow(
      'idle power before block 2  its record cannot be stored: hi',
    );
    expect(() => encodeRecord({ ...generatorCeiling, ceilingRps: Number.NaN })).toThrow(
      'generator ceiling of here  its record cannot be stored: ceilingRps',
    );
  });
});
