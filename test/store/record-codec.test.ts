import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASON_CODES, TRIAL_PHASES, type TrialRecord, VERDICTS } from '../../src/store/index.ts';
import { decodeRecord, encodeRecord } from '../../src/store/record-codec.ts';
import { doneRecord, failedRecord } from './examples.ts';

// JSON has no negative zero; nothing that is measured can be one.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const count = fc.integer({ min: 1 });
const name = fc.string({ minLength: 1 });
// A key "__proto__" would set the prototype instead of a member when the object is made by assignment.
const key = name.filter((text) => text !== '__proto__');
const responses = fc.dictionary(key, fc.oneof(number, fc.string()), { noNullPrototype: true });

const base = {
  kind: fc.constant('trial' as const),
  trialId: name,
  pointId: name,
  replicate: count,
  block: count,
  runOrder: count,
  attempt: count,
  factors: fc.dictionary(key, fc.oneof(number, fc.string({ unit: 'binary' }), fc.boolean()), { noNullPrototype: true }),
  host: fc.string(),
  startedAt: fc
    .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  durationS: number.map(Math.abs),
  engine: fc.constantFrom('native' as const, 'docker' as const, 'podman' as const),
};

const record: fc.Arbitrary<TrialRecord> = fc.oneof(
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
        '  and run again: only its trial is repeated.',
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
  });
});
