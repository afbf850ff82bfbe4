import { expect, test } from 'vitest';
import { measureGeneratorCeiling } from '../../src/load/index.ts';

test('the ceiling is the highest rate up to which every rate was held', async () => {
  const { ceilingRps, steps } = await measureGeneratorCeiling({ ratesRps: [50, 100], stepS: 0.5 });
  expect(steps.map(({ rateRps }) => rateRps)).toEqual([50, 100]);
  const firstMissed = steps.find(({ isHeld }) => !isHeld);
  expect(ceilingRps).toBe(firstMissed === undefined ? 100 : firstMissed.rateRps === 100 ? 50 : 0);
  for (const { rateRps, offeredRps, lateShare, busyCpus } of steps) {
    expect(offeredRps / rateRps).toBeGreaterThan(0.3);
    expect(offeredRps / rateRps).toBeLessThan(2);
    expect(lateShare).toBeLessThanOrEqual(1);
    expect(busyCpus).toBeGreaterThan(0);
  }
});

test.runIf(process.platform === 'linux')('a server on CPUs that are not there is refused', async () => {
  await expect(measureGeneratorCeiling({ serverCpuset: '4095' })).rejects.toThrow('null server on CPUs 4095');
});
