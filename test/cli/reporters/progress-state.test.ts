import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTrials, INITIAL_STATE, reduce, timeLeftS } from '../../../src/cli/reporters/progress-state.ts';
import type { RunEvent } from '../../../src/events.ts';
import { at, failed, measured, runStarted, WHOLE_RUN } from './events.ts';

function stateAfter(...events: readonly RunEvent[]) {
  return events.reduce(reduce, INITIAL_STATE);
}

function finished(atS: number, trialId: string, attempt = 1): RunEvent {
  return at(atS, { type: 'trial-finished', label: trialId, record: measured({ trialId, attempt }) });
}

describe('the state of a run', () => {
  it('counts a repeated trial once, by how its last attempt ended', () => {
    expect(countTrials(stateAfter(...WHOLE_RUN))).toEqual({ all: 5, done: 2, invalid: 0, failed: 1 });
    expect(countTrials(stateAfter(...WHOLE_RUN.slice(0, 12)))).toEqual({ all: 3, done: 1, invalid: 1, failed: 0 });
  });

  it('keeps each warning once', () => {
    expect(stateAfter(...WHOLE_RUN).warnings).toHaveLength(1);
  });

  it('knows the trial that is on, and nothing of it once it is over', () => {
    expect(stateAfter(...WHOLE_RUN.slice(0, 10)).running).toEqual({
      trialId: 't1',
      runOrder: 1,
      label: 'mnist-cnn batch=1 light',
      startedAtMs: 3000,
      phase: 'measure',
      requests: 200,
      achievedRps: 199.876,
      latencyP50Ms: 4.51234,
    });
    expect(stateAfter(...WHOLE_RUN.slice(0, 11)).running).toBeUndefined();
  });

  it('is not moved by late news of a trial that is over', () => {
    const state = stateAfter(...WHOLE_RUN.slice(0, 11));
    expect(reduce(state, at(10, { type: 'trial-phase', trialId: 't1', phase: 'drain' }))).toEqual(state);
  });

  it('is never changed in place', () => {
    let state = INITIAL_STATE;
    for (const event of WHOLE_RUN) {
      const before = structuredClone(state);
      const next = reduce(state, event);
      expect(state).toEqual(before);
      state = next;
    }
  });
});

describe('the time left', () => {
  it('is the first guess until a trial has finished, less what has passed', () => {
    expect(timeLeftS(stateAfter(runStarted), 0)).toBe(40);
    expect(timeLeftS(stateAfter(runStarted), 15_000)).toBe(25);
    expect(timeLeftS(stateAfter(runStarted), 90_000)).toBe(0);
  });

  it('does not count the idle measurement as part of a trial', () => {
    const idle = at(10, { type: 'idle-measured', block: 1, powerW: 5, isEstimate: false });
    expect(timeLeftS(stateAfter(runStarted, idle, finished(15, 't1')), 15_000)).toBe(15);
  });

  it('is the mean time of a trial so far, launches included, times the trials left', () => {
    // 6 trials, 2 of an earlier run, 2 finished within 14 s: 7 s each, 2 left.
    const state = stateAfter(runStarted, finished(8, 't1'), finished(14, 't2'));
    expect(timeLeftS(state, 14_000)).toBe(14);
    expect(timeLeftS(state, 17_000)).toBe(11);
  });

  it('does not fall below the trials after the running one, however long that takes', () => {
    const state = stateAfter(runStarted, finished(8, 't1'), finished(14, 't2'));
    expect(timeLeftS(state, 1_000_000)).toBe(7);
  });

  it('counts the time of repeated attempts', () => {
    expect(timeLeftS(stateAfter(runStarted, finished(6, 't1'), finished(12, 't1', 2)), 12_000)).toBe(36);
  });

  it('is not known where the design does not know its size, and 0 when the run is over', () => {
    const search = { ...runStarted, trials: undefined } as RunEvent;
    expect(timeLeftS(stateAfter(search, finished(6, 't1')), 6000)).toBeUndefined();
    expect(timeLeftS(stateAfter(...WHOLE_RUN), 23_000)).toBe(0);
  });

  it('is never negative and never grows while nothing happens', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 8 });
    fc.assert(
      fc.property(gaps, fc.nat(1000), fc.nat(1000), fc.boolean(), (seconds, waitS, moreS, isLastFailed) => {
        let atS = 0;
        const events = seconds.map((gap, index) => {
          atS += gap;
          return finished(atS, `t${index}`);
        });
        if (isLastFailed) events.push(at(atS, { type: 'trial-finished', label: '', record: failed({ trialId: 'f' }) }));
        const state = stateAfter(runStarted, ...events);
        const now = timeLeftS(state, (atS + waitS) * 1000) as number;
        const later = timeLeftS(state, (atS + waitS + moreS) * 1000) as number;
        expect(now).toBeGreaterThanOrEqual(later);
        expect(later).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
