import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { type CeilingStep, ceilingOf, judgeStep } from '../../src/load/ceiling.ts';
import { lostShare, readCpuLoss } from '../../src/load/cpu-loss.ts';
import { measureGeneratorCeiling } from '../../src/load/index.ts';

test('the ceiling is the highest rate up to which every rate was held', async () => {
  const { ceilingRps, steps } = await measureGeneratorCeiling({ ratesRps: [50, 100], stepS: 0.5, attempts: 1 });
  expect(steps.map(({ rateRps }) => rateRps)).toEqual([50, 100]);
  expect(ceilingRps).toBe(ceilingOf(steps));
  for (const { rateRps, offeredRps, lateShare, busyCpus, cpuLostShare } of steps) {
    expect(cpuLostShare).toBeGreaterThanOrEqual(0);
    expect(cpuLostShare).toBeLessThanOrEqual(1);
    expect(offeredRps / rateRps).toBeGreaterThan(0.3);
    expect(offeredRps / rateRps).toBeLessThan(2);
    expect(lateShare).toBeLessThanOrEqual(1);
    expect(busyCpus).toBeGreaterThan(0);
  }
});

test.runIf(process.platform === 'linux')('a server on CPUs that are not there is refused', async () => {
  await expect(measureGeneratorCeiling({ serverCpuset: '4095' })).rejects.toThrow('null server on CPUs 4095');
});

const PUNCTUAL: Omit<CeilingStep, 'isHeld' | 'isDisturbed'> = {
  rateRps: 500,
  offeredRps: 500,
  achievedRps: 500,
  lagP50Ms: 0.01,
  lagP99Ms: 0.3,
  lateShare: 0.002,
  waitedShare: 0,
  answeredShare: 1,
  busyCpus: 0.1,
  cpuLostShare: 0,
};

test.each([
  ['a punctual step is held', {}, { isHeld: true, isDisturbed: false }],
  ['a punctual step is held on a disturbed machine too', { cpuLostShare: 0.1 }, { isHeld: true, isDisturbed: false }],
  ['lateness with all the CPU is the generator', { lateShare: 0.02 }, { isHeld: false, isDisturbed: false }],
  [
    'lateness that the lost time explains is not',
    { lateShare: 0.02, cpuLostShare: 0.01 },
    { isHeld: false, isDisturbed: true },
  ],
  ['more lateness than that is', { lateShare: 0.021, cpuLostShare: 0.01 }, { isHeld: false, isDisturbed: false }],
  [
    'a generator out of breath is its own limit, whatever was lost',
    { lateShare: 0.02, busyCpus: 0.9, cpuLostShare: 0.1 },
    { isHeld: false, isDisturbed: false },
  ],
])('%s', (_, figures, outcome) => {
  expect(judgeStep({ ...PUNCTUAL, ...figures })).toMatchObject(outcome);
});

test('a disturbed step counts neither as held nor as missed', () => {
  const step = (rateRps: number, figures = {}) => judgeStep({ ...PUNCTUAL, rateRps, ...figures });
  const disturbed = { lateShare: 0.02, cpuLostShare: 0.05 };
  const missed = { lateShare: 0.02 };
  expect(ceilingOf([step(100, disturbed), step(250), step(500), step(1000, missed), step(2000)])).toBe(500);
  expect(ceilingOf([step(100), step(250, disturbed)])).toBe(100);
  expect(ceilingOf([step(100, disturbed), step(250, disturbed)])).toBe(0);
});

test.runIf(process.platform === 'linux')('a process that has to share its CPU is seen to lose time', async () => {
  const spinners = [0, 1].map(() => spawn('taskset', ['-c', '0', process.execPath, '-e', 'for(;;);']));
  try {
    const pid = spinners[0]?.pid as number;
    const first = readCpuLoss(pid, '0');
    await expect.poll(() => lostShare(first, readCpuLoss(pid, '0')), { timeout: 10_000 }).toBeGreaterThan(0.2);
  } finally {
    for (const spinner of spinners) spinner.kill('SIGKILL');
  }
});
