import { expect, test } from 'vitest';
import { judgeTrial, LIMITS, type TrialFigures } from '../../src/run/verdict.ts';

const quiet: TrialFigures = {
  isOpenLoop: true,
  offeredRps: 100,
  achievedRps: 100,
  requests: 1000,
  scheduledRequests: 1000,
  errors: 0,
  timeouts: 0,
  lateShare: 0,
  generatorCpuUtil: 0.2,
  isCpuShared: false,
  neighbours: [],
  areGeneratorsShared: false,
  unsteadyBecause: undefined,
  othersCpus: 0.01,
  stolenCpus: 0,
  onlineCpus: 2,
  hasQuota: false,
  throttledShare: 0,
  generatorThrottledShare: 0,
  thermalThrottles: 0,
  swappedMb: 0,
  littlesLawError: 0.01,
  energyFault: undefined,
};

test('a quiet trial is valid and needs no reason', () => {
  expect(judgeTrial(quiet)).toEqual({ verdict: 'valid', reasons: [] });
});

test('a server that cannot carry the load is overloaded, which is a finding and not a fault of the trial', () => {
  const { verdict, reasons } = judgeTrial({ ...quiet, achievedRps: 80 });
  expect(verdict).toBe('overloaded');
  expect(reasons).toEqual([
    { code: 'overloaded', detail: '80.0 req/s achieved of 100.0 req/s offered (limit 95.0 %)' },
  ]);
});

test('an overloaded server never settles, and that is not held against the trial a second time', () => {
  const { verdict, reasons } = judgeTrial({ ...quiet, achievedRps: 80, unsteadyBecause: 'it drifts' });
  expect(verdict).toBe('overloaded');
  expect(reasons.map(({ code }) => code)).toEqual(['overloaded']);
});

test('a larger machine may be busier before its trials suffer', () => {
  expect(judgeTrial({ ...quiet, othersCpus: 0.7, onlineCpus: 16 }).verdict).toBe('valid');
});

test.each([
  ['errors', { errors: 11 }, '11 of 1000 requests failed (limit 1.0 %)'],
  ['generator-late', { lateShare: 0.018 }, '1.8 % of requests left over 1 ms late (limit 1.0 %)'],
  ['generator-saturated', { generatorCpuUtil: 0.93 }, 'the generator used 93.0 % of a CPU (limit 80.0 %)'],
  ['unsteady', { unsteadyBecause: 'it drifts' }, 'it drifts'],
  ['host-busy', { othersCpus: 0.4 }, 'other processes used 0.40 CPUs (limit 0.10 of 2)'],
  ['host-busy', { stolenCpus: 0.3 }, 'the hypervisor took 0.30 CPUs away (limit 0.04 of 2)'],
  ['host-busy', { swappedMb: 2 }, '2.0 MB were swapped (limit 0)'],
  ['throttled', { thermalThrottles: 3 }, 'cores were slowed down because of heat 3 times (limit 0)'],
  [
    'throttled',
    { throttledShare: 0.25 },
    'a CPU quota that was not asked for held the server back in 25.0 % of its periods (limit 1.0 %)',
  ],
  [
    'throttled',
    { generatorThrottledShare: 0.25 },
    'a CPU quota held the load generator back in 25.0 % of its periods (limit 1.0 %)',
  ],
  ['outcomes-unbalanced', { requests: 990 }, '990 requests are accounted for of 1000 that were scheduled'],
] as const)('"%s" makes a trial invalid and says the figure and its limit', (code, change, detail) => {
  const { verdict, reasons } = judgeTrial({ ...quiet, ...change });
  expect(verdict).toBe('invalid');
  expect(reasons).toEqual([{ code, detail }]);
});

test('figures at their limits are still valid', () => {
  const { verdict } = judgeTrial({
    ...quiet,
    achievedRps: LIMITS.achievedShare * quiet.offeredRps,
    errors: LIMITS.errorShare * quiet.requests,
    lateShare: LIMITS.lateShare,
    generatorCpuUtil: LIMITS.generatorCpuUtil,
    othersCpus: LIMITS.othersShare * quiet.onlineCpus,
    stolenCpus: LIMITS.stolenShare * quiet.onlineCpus,
  });
  expect(verdict).toBe('valid');
});

test('invalid outweighs overloaded, and all reasons are told', () => {
  const { verdict, reasons } = judgeTrial({ ...quiet, achievedRps: 10, lateShare: 0.5 });
  expect(verdict).toBe('invalid');
  expect(reasons.map(({ code }) => code)).toEqual(['overloaded', 'generator-late']);
});

test('a handful of late requests in a short window is chance, four are not', () => {
  const short = { ...quiet, requests: 77, scheduledRequests: 77 };
  expect(judgeTrial({ ...short, lateShare: 3 / 77 }).verdict).toBe('valid');
  expect(judgeTrial({ ...short, lateShare: 4 / 77 }).verdict).toBe('invalid');
});

test('a closed loop is never late or overloaded by rate', () => {
  expect(judgeTrial({ ...quiet, isOpenLoop: false, achievedRps: 1, lateShare: 1 }).reasons).toEqual([]);
});

test('unknown energy and a shared CPU are told without making latency invalid', () => {
  const { verdict, reasons } = judgeTrial({ ...quiet, energyFault: 'package-0 vanished', isCpuShared: true });
  expect(verdict).toBe('valid');
  expect(reasons.map(({ code }) => code)).toEqual(['shared-cpu', 'energy-unknown']);
});

test('a server held back by the quota under study is no fault of the trial', () => {
  expect(judgeTrial({ ...quiet, hasQuota: true, throttledShare: 0.4 }).verdict).toBe('valid');
});

test("a difference in Little's law is told without making the trial invalid", () => {
  const { verdict, reasons } = judgeTrial({ ...quiet, littlesLawError: -0.3 });
  expect(verdict).toBe('valid');
  expect(reasons.map(({ code }) => code)).toEqual(['littles-law']);
});
