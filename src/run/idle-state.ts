import { measureIdlePower } from '../energy/index.ts';
import type { IdleState, RunContext } from './context.ts';
import { readHost } from './host.ts';

/** Measures what the machine is like with nothing served, and tells it. */
export async function measureIdle({
  meter,
  spec,
  emit,
  signal,
}: Pick<RunContext, 'meter' | 'spec' | 'emit' | 'signal'>): Promise<IdleState> {
  const power = meter && (await measureIdlePower(meter, spec.energy.idleS, signal));
  const { sensors } = await readHost();
  if (meter && power) emit({ type: 'idle-measured', powerW: power.powerW, isEstimate: meter.isEstimate });
  return { power, temperatureC: sensors.temperatureC };
}
