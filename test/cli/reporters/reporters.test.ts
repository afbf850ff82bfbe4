import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createReporter, parseReporterKind, type ReporterKind } from '../../../src/cli/reporters/index.ts';
import type { RunEvent } from '../../../src/events.ts';
import { WHOLE_RUN } from './events.ts';

async function outputOf(kind: ReporterKind, events: readonly RunEvent[]): Promise<string> {
  const stream = new PassThrough();
  const reporter = await createReporter(kind, stream as unknown as NodeJS.WriteStream);
  for (const event of events) reporter.report(event);
  await reporter.close();
  return (stream.read() as Buffer | null)?.toString() ?? '';
}

describe('the plain reporter', () => {
  it('says each event of note in a line of its own', async () => {
    expect(await outputOf('plain', WHOLE_RUN)).toBe(
      `experiment demo: 6 trials, 2 already done, about 40 s to go
results go to results/demo
note: removed 1 process of a killed run
  Nothing to do.
idle power 12.35 W (estimate) before block 1
warning: energy: energy is an estimate
  Run \`dse doctor\`.
  It tells the fix.
server mnist-cnn batch=1 (block 1)
  capacity 231.1 requests/s
  [3/6] mnist-cnn batch=1 light: invalid, p50 4.512 ms, p95 7.1 ms, 198.8 inf/s, 0.1035 J/inf est.
    host-busy: others took 0.4 CPUs
  [3/6] mnist-cnn batch=1 light (attempt 2): valid, p50 4.512 ms, p95 7.1 ms, 198.8 inf/s, 0.1035 J/inf est.
  [4/6] mnist-cnn batch=1 high: overloaded, p50 4.512 ms, p95 7.1 ms, 198.8 inf/s, 0.1035 J/inf est.
    overloaded: the backlog grew to 120
  [5/6] mnist-cnn batch=4 light: failed
    failed in launch: red alert bell
run interrupted: 3 measured, 1 of them invalid, 1 failed, in 23 s
`,
    );
  });

  it('says why a measurement of idle power does not count', async () => {
    const disturbedBecause = 'other processes used 1.00 CPUs (limit 0.10 of 2)';
    expect(
      await outputOf('plain', [
        { type: 'idle-measured', atMs: 0, block: 1, powerW: 16.1, isEstimate: true, disturbedBecause },
      ]),
    ).toBe(`idle power 16.1 W (estimate) before block 1, which does not count: ${disturbedBecause}\n`);
  });

  it('lets no control character of a server or a path through', async () => {
    expect(await outputOf('plain', WHOLE_RUN)).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe('the JSON lines reporter', () => {
  it('gives every event back as it was', async () => {
    const lines = (await outputOf('jsonl', WHOLE_RUN)).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(WHOLE_RUN);
  });
});

describe('the choice of a reporter', () => {
  const terminal = { isTTY: true };
  const pipe = { isTTY: false };

  it('is ink on a terminal and plain anywhere else', () => {
    expect(parseReporterKind(undefined, terminal, {})).toBe('ink');
    expect(parseReporterKind(undefined, pipe, {})).toBe('plain');
    expect(parseReporterKind(undefined, terminal, { TERM: 'dumb' })).toBe('plain');
    expect(parseReporterKind(undefined, terminal, { CI: 'true' })).toBe('plain');
  });

  it('is the one asked for', () => {
    expect(parseReporterKind('jsonl', terminal, {})).toBe('jsonl');
    expect(parseReporterKind('ink', terminal, { CI: 'true' })).toBe('ink');
  });

  it('is refused where there is none of that name', () => {
    expect(() => parseReporterKind('json', terminal, {})).toThrow(
      '--reporter  unknown reporter "json"\n  Choose one of ink, plain, jsonl.',
    );
    expect(() => parseReporterKind('toString', terminal, {})).toThrow('unknown reporter "toString"');
  });

  it('is refused where ink has no terminal to draw on', () => {
    expect(() => parseReporterKind('ink', pipe, {})).toThrow('the reporter "ink" redraws a terminal');
  });
});
