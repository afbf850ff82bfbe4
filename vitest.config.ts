import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that trust real clocks, start real servers under load, or look at what the whole machine runs: one file at a time, with nothing beside. */
const ALONE = [
  'test/energy/**/*.test.ts',
  'test/launch/**/*.test.ts',
  'test/load/**/*.test.ts',
  'test/run/**/*.test.ts',
  'test/server/**/*.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...configDefaults.exclude, ...ALONE],
          // More than two cores: some of these wait for processes of theirs most of the time.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
