import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compiledEntry } from '../../../src/package-files.ts';
import { measured, WHOLE_RUN } from './events.ts';

// The compiled module: the reporter loads React in its production form, and that lacks what the JSX of the test transformer calls.
const { createInkReporter } = (await import(
  compiledEntry('cli/reporters/ink')
)) as typeof import('../../../src/cli/reporters/ink.ts');

/** A stand-in for a terminal of a given width that keeps what was written to it. */
function fakeTerminal(columns: number) {
  const written: string[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 40 });
  stream.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  return { stream: stream as unknown as NodeJS.WriteStream, written };
}

async function play(columns: number, env: NodeJS.ProcessEnv, times = 1) {
  const { stream, written } = fakeTerminal(columns);
  const reporter = await createInkReporter(stream, env);
  for (let time = 0; time < times; time++) for (const event of WHOLE_RUN) reporter.report(event);
  await reporter.close();
  return written;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an SGR sequence that sets a colour.
const COLOR = /\u001b\[3[0-9]m/;

describe('the ink reporter', () => {
  it('leaves every finished trial, warning and note on the screen, once', async () => {
    const text = (await play(100, {})).join('');
    expect(text.match(/ {3}1 mnist-cnn batch=1 light {2}overloaded|! {3}1 mnist/g)).toHaveLength(1);
    expect(text.match(/energy: energy is an estimate/g)).toHaveLength(1);
    expect(text.match(/removed 1 process of a killed run/g)).toHaveLength(1);
    expect(text).toContain('failed in launch: red alert bell');
  });

  it('keeps every line within a narrow terminal', async () => {
    const lines = stripVTControlCharacters((await play(60, {})).join('')).split('\n');
    expect(lines.length).toBeGreaterThan(15);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(60);
    expect(lines).toContain('      p50 4.512 ms  p95 7.1 ms  198.8 inf/s');
  });

  it('uses no colour when NO_COLOR is set', async () => {
    expect((await play(100, { NO_COLOR: '1' })).join('')).not.toMatch(COLOR);
  });

  it('draws at most a few frames however many events come', async () => {
    const { stream, written } = fakeTerminal(80);
    const reporter = await createInkReporter(stream, {});
    reporter.report(WHOLE_RUN[0] as never);
    const startedMs = performance.now();
    const progress = WHOLE_RUN[9] as never;
    let count = 0;
    while (performance.now() - startedMs < 1000) {
      reporter.report(progress);
      count++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await reporter.close();
    expect(count).toBeGreaterThan(20);
    expect(written.length).toBeLessThan(20);
  });

  it('does not change the environment that servers inherit', async () => {
    const before = process.env.NODE_ENV;
    await play(80, {});
    expect(process.env.NODE_ENV).toBe(before);
  });

  it('keeps a thousand finished trials without drawing them again', async () => {
    const { stream, written } = fakeTerminal(100);
    const reporter = await createInkReporter(stream, { NO_COLOR: '1' });
    for (let n = 0; n < 1000; n++) {
      const record = measured({ trialId: `t${n}`, runOrder: n });
      reporter.report({ atMs: n, type: 'trial-finished', label: `trial-${n}.`, record });
    }
    await reporter.close();
    const text = written.join('');
    for (const n of [0, 1, 500, 999]) expect(text.split(`trial-${n}.`)).toHaveLength(2);
  });
});
