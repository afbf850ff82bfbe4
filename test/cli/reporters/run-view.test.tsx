import { Box } from 'ink';
import { render } from 'ink-testing-library';
import { describe, expect, it } from 'vitest';
import { INITIAL_STATE, reduce } from '../../../src/cli/reporters/progress-state.ts';
import { type LogEntry, RunView } from '../../../src/cli/reporters/RunView.tsx';
import type { RunEvent } from '../../../src/events.ts';
import { at, failed, measured, runStarted, WHOLE_RUN } from './events.ts';

function frame(
  events: readonly RunEvent[],
  options: { log?: readonly LogEntry[]; nowS?: number; hasColor?: boolean } = {},
) {
  const { log = [], nowS = 4, hasColor = false } = options;
  const state = events.reduce(reduce, INITIAL_STATE);
  // The frame of the testing library is 100 columns wide.
  const { lastFrame, unmount } = render(
    <Box flexDirection="column">
      <RunView log={log} state={state} nowMs={nowS * 1000} hasColor={hasColor} />
    </Box>,
  );
  const text = lastFrame();
  unmount();
  return text;
}

const log: readonly LogEntry[] = [
  { key: 0, kind: 'note', problem: { what: 'removed 1 process', hint: 'Nothing to do.' } },
  { key: 1, kind: 'warning', problem: { where: 'energy', what: 'an estimate', hint: 'Run `dse doctor`.\nIt helps.' } },
  { key: 2, kind: 'trial', label: 'mnist-cnn light', record: measured() },
  {
    key: 3,
    kind: 'trial',
    label: 'mnist-cnn high rest-json',
    record: measured({
      runOrder: 12,
      attempt: 2,
      verdict: 'invalid',
      reasons: [{ code: 'host-busy', detail: 'a\nb' }],
    }),
  },
  { key: 4, kind: 'trial', label: 'resnet18', record: failed({ runOrder: 123 }) },
];

describe('the live view', () => {
  it('shows the running trial with its clock and one line that sums up', () => {
    expect(frame(WHOLE_RUN.slice(0, 10), { nowS: 5.9 })).toBe(
      [
        '▸   1 mnist-cnn batch=1 light  measure  2 s  200 requests  199.9/s  p50 4.512 ms',
        '2/6 trials · about 35 s left · demo',
      ].join('\n'),
    );
  });

  it('says what goes on before a trial', () => {
    expect(frame(WHOLE_RUN.slice(0, 5))).toContain('▸     mnist-cnn batch=1  starting the server  3 s');
    expect(frame(WHOLE_RUN.slice(0, 6))).toContain('finding its capacity');
  });

  it('shows what ended above, a line a trial with its mark, reasons below it', () => {
    expect(frame([runStarted], { log, nowS: 0 })).toBe(
      [
        'note removed 1 process',
        '      Nothing to do.',
        'warning energy: an estimate',
        '      Run `dse doctor`.',
        '      It helps.',
        '✓   1 mnist-cnn light  p50 4.512 ms  p95 7.1 ms  198.8 inf/s  0.1035 J/inf est.',
        '!  12 mnist-cnn high rest-json (attempt 2)',
        '      invalid  p50 4.512 ms  p95 7.1 ms  198.8 inf/s  0.1035 J/inf est.',
        '      host-busy: a b',
        '✗ 123 resnet18  failed',
        '      failed in warm-up: the server ended with exit code 1',
        '2/6 trials · about 40 s left · demo',
      ].join('\n'),
    );
  });

  it('names energy an estimate only where it is one', () => {
    const record = measured({ responses: { energy_per_inference_j: 0.5, energy_source: 'rapl' } });
    const text = frame([runStarted], { log: [{ key: 0, kind: 'trial', label: 'a', record }] });
    expect(text).toContain('0.5 J/inf\n');
  });

  it('never draws a line wider than the terminal', () => {
    const label = 'squeezenet1.1 int8-dynamic batch=8 threads=2 cpus=0.5 colocated=neighbour rest-binary high '.repeat(
      2,
    );
    const events = [runStarted, at(1, { type: 'trial-started', trialId: 't9', runOrder: 9, label })];
    const long: readonly LogEntry[] = [
      { key: 0, kind: 'trial', label, record: failed({ reason: 'x '.repeat(200) }) },
      { key: 1, kind: 'warning', problem: { what: label, hint: label } },
    ];
    const lines = frame(events, { log: long })?.split('\n') ?? [];
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    expect(lines.at(-1)).toBe('2/6 trials · about 36 s left · demo');
  });

  it('ends with how the run ended', () => {
    expect(frame(WHOLE_RUN)).toBe('5/6 trials · 1 failed · interrupted · demo');
  });
});
