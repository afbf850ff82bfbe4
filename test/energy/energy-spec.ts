import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnergySpec } from '../../src/spec/types.ts';

/** An energy spec that finds nothing on this machine but what a test puts there. */
export function energySpec(changes: Partial<EnergySpec> = {}): EnergySpec {
  return {
    source: 'auto',
    powercapRoot: '/nowhere/powercap',
    hwmonRoot: '/nowhere/hwmon',
    idleS: 1,
    estimate: { idleW: 10, corePowerW: 5 },
    ...changes,
  };
}

/** A folder of its own for one test, removed with all that is in it. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'dse-energy-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
