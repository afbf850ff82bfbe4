import { existsSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that trust real clocks, start real servers under load, or look at what the whole machine runs: one file at a time, with nothing beside. */
const ALONE = [
  'test/cli/run.test.ts',
  'test/energy/estimate.test.ts',
  'test/energy/idle-power.test.ts',
  'test/energy/meters.test.ts',
  'test/energy/rapl.test.ts',
  'test/launch/container-launcher.test.ts',
  'test/launch/cpu-frequency.test.ts',
  'test/launch/native-launcher.test.ts',
  'test/launch/other-servers.test.ts',
  'test/load/arrivals.test.ts',
  'test/load/autocannon-contract.test.ts',
  'test/load/ceiling.test.ts',
  'test/load/driver.test.ts',
  'test/load/image-target.test.ts',
  'test/load/kserve-target.test.ts',
  'test/load/protocols.test.ts',
  'test/load/queueing-theory.test.ts',
  'test/run/cpu-lock.test.ts',
  'test/run/experiment.test.ts',
  'test/run/gateway.test.ts',
  'test/run/idle-state.test.ts',
  'test/run/known-speed.test.ts',
  'test/run/neighbours-real.test.ts',
  'test/run/neighbours.test.ts',
  'test/run/other-server.test.ts',
  'test/run/provoked-verdicts.test.ts',
  'test/server/batching.test.ts',
  'test/server/main.test.ts',
  'test/server/scheduler.test.ts',
];
for (const file of ALONE) if (!existsSync(new URL(file, import.meta.url))) throw new Error(`${file} is not there`);

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: 'test/temporary-folder.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...configDefaults.exclude, ...ALONE],
          // One more than the gate's machine has cores: some wait for processes and containers most of the time.
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
