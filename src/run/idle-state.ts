import { measureIdlePower } from '../energy/index.ts';
import type { IdleState, RunContext } from './context.ts';
import { MACHINE_CPUS, othersCpus, readHost, stolenCpus } from './host.ts';
import { waitForQuietHost } from './idle-gate.ts';
import { findHostFault } from './verdict.ts';

/** How often idle power is measured where others keep using the machine meanwhile. */
const MOST_ATTEMPTS = 3;

/**
 * Measures what the machine is like before a block, with nothing served; keeps and tells it.
 *
 * Waits for a quiet machine first, as before a trial, and measures anew where others used it meanwhile. Where it never was quiet, idle power is not known: net energies would be
 * too small by what the others drew.
 */
export async function measureIdle(block: number, context: Omit<RunContext, 'idle'>): Promise<IdleState> {
  for (let attempt = 1; ; attempt++) {
    const state = await measureIdleOnce(block, context);
    if (state.unknownBecause === undefined || attempt === MOST_ATTEMPTS) return state;
  }
}

async function measureIdleOnce(block: number, context: Omit<RunContext, 'idle'>): Promise<IdleState> {
  const { meter, spec, store, host, emit, signal, load } = context;
  const { temperatureC } = (await readHost()).sensors;
  if (meter === undefined) return { power: undefined, temperatureC };

  const readOwnUs = async () => processCpuTimeUs() + (await load.readUsage()).cpuTimeUs;
  await waitForQuietHost(
    spec.measure.idleGateS,
    { power: undefined, temperatureC: undefined },
    meter,
    readOwnUs,
    signal,
  );
  const startedAt = new Date().toISOString();
  const before = { host: await readHost(), ownUs: await readOwnUs() };
  const power = await measureIdlePower(meter, {
    seconds: spec.energy.idleS,
    confidence: spec.measure.confidence,
    signal,
  });
  const after = { host: await readHost(), ownUs: await readOwnUs() };

  const fault = findHostFault({
    othersCpus: othersCpus(before.host, after.host, after.ownUs - before.ownUs),
    stolenCpus: stolenCpus(before.host, after.host),
    onlineCpus: MACHINE_CPUS,
  });
  const { powerW, lo, hi, seconds } = power;
  const { source, description, isEstimate } = meter;
  const disturbed = fault === undefined ? {} : { disturbedBecause: fault };
  await store.append({
    kind: 'idle-power',
    host,
    block,
    startedAt,
    durationS: seconds,
    source,
    description,
    isEstimate,
    powerW,
    lo,
    hi,
    ...disturbed,
  });
  emit({ type: 'idle-measured', block, powerW, isEstimate, ...disturbed });
  return fault === undefined
    ? { power, temperatureC }
    : {
        power: undefined,
        temperatureC,
        unknownBecause: `idle power before block ${block} is not known: ${fault} while it was measured`,
      };
}

function processCpuTimeUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
