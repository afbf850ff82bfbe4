import { measureGeneratorCeiling } from '../load/index.ts';
import type { Store } from '../store/index.ts';
import type { RunContext } from './context.ts';

/** Rates tried for a result folder, requests/s: enough to see where this machine stands. `dse doctor` tries higher ones. */
const RATES_RPS = [500, 1000, 2000, 4000];
const STEP_S = 0.5;
const ATTEMPTS = 2;

/** The highest rate the load generator sends on time on this machine; measured once for each machine and result folder, and kept there. */
export async function findGeneratorCeiling(store: Store, cpus: RunContext['cpus'], host: string): Promise<number> {
  const known = store.generatorCeilingRps(host);
  // A ceiling of 0 was found on a busy machine: look again.
  if (known !== undefined && known > 0) return known;
  const startedAt = new Date().toISOString();
  const { ceilingRps, steps } = await measureGeneratorCeiling({
    ratesRps: RATES_RPS,
    stepS: STEP_S,
    attempts: ATTEMPTS,
    ...(cpus.generator === undefined ? {} : { generatorCpuset: cpus.generator }),
    ...(cpus.server === undefined ? {} : { serverCpuset: cpus.server }),
  });
  await store.append({ kind: 'generator-ceiling', host, startedAt, ceilingRps, steps });
  return ceilingRps;
}
