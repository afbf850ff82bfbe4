import { measureIdlePower } from '../energy/index.ts';
import type { IdleState, RunContext } from './context.ts';
import { readHost } from './host.ts';

/** Measures what the machine is like before a block, with nothing served; keeps and tells it. */
export async function measureIdle(block: number, context: Omit<RunContext, 'idle'>): Promise<IdleState> {
  const { meter, spec, store, host, emit, signal } = context;
  const { temperatureC } = (await readHost()).sensors;
  if (meter === undefined) return { power: undefined, temperatureC };
  const startedAt = new Date().toISOString();
  const power = await measureIdlePower(meter, {
    seconds: spec.energy.idleS,
    confidence: spec.measure.confidence,
    signal,
  });
  const { powerW, lo, hi, seconds } = power;
  const { source, description, isEstimate } = meter;
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
  });
  emit({ type: 'idle-measured', block, powerW, isEstimate });
  return { power, temperatureC };
}
