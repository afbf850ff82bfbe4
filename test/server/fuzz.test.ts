import { expect, test } from 'vitest';
import { fuzzServer } from './fuzz/fuzz-server.ts';

test.skipIf(process.platform !== 'linux')(
  'bad input of every kind gets the protocol’s error, right requests among it are answered, and nothing is left over',
  async () => {
    const report = await fuzzServer({ cases: 1_500, seed: 42 });
    expect(report.violations).toEqual([]);
    expect(report).toMatchObject({ isAlive: true, log: '' });
    expect(report.descriptorsAfter).toBeLessThanOrEqual(report.descriptorsBefore);
    const counts = Object.values(report.counts);
    expect(counts.map(({ answered }) => answered).reduce((sum, count) => sum + count)).toBeGreaterThan(300);
    expect(counts.map(({ refused }) => refused).reduce((sum, count) => sum + count)).toBeGreaterThan(300);
  },
  120_000,
);
