import { MeterError } from '../errors.ts';
import type { EnergySpec } from '../spec/types.ts';
import { openCommandMeter } from './command.ts';
import { openEstimate } from './estimate.ts';
import { openHwmon, openHwmonCounters } from './hwmon.ts';
import { openNvidiaSmi } from './nvidia-smi.ts';
import type { MeterOptions } from './options.ts';
import { openRapl } from './rapl.ts';
import type { EnergyMeter, MeterProbe, MeterSource } from './types.ts';

/** Opens a source, or throws a MeterError that says why it cannot be used here and what would open it. */
type OpenMeter = (spec: EnergySpec, options?: MeterOptions) => Promise<EnergyMeter>;

const METERS: Readonly<Record<MeterSource, OpenMeter>> = {
  rapl: openRapl,
  hwmon: openHwmon,
  'nvidia-smi': openNvidiaSmi,
  command: openCommandMeter,
  estimate: openEstimate,
};

/** What `auto` tries, in this order. */
const AUTO: readonly OpenMeter[] = [openRapl, openHwmonCounters, openEstimate];

/**
 * The energy meter a spec asks for, counting from now on; undefined for `none`.
 *
 * `auto` takes the first that works of RAPL, an energy counter of the processor in hwmon, and the estimate.
 * @throws MeterError if a source that was named cannot be used
 */
export async function openMeter(spec: EnergySpec, options: MeterOptions = {}): Promise<EnergyMeter | undefined> {
  if (spec.source === 'none') return undefined;
  if (spec.source !== 'auto') return METERS[spec.source](spec, options);
  const refusals: MeterError[] = [];
  for (const open of AUTO) {
    try {
      return await open(spec, options);
    } catch (error) {
      if (!(error instanceof MeterError)) throw error;
      refusals.push(error);
    }
  }
  throw new MeterError(refusals.flatMap(({ problems }) => problems));
}

/** Whether each source can be used here: opened, looked at, and closed again. The spec's own `source` does not matter. */
export async function probeMeters(spec: EnergySpec, options: MeterOptions = {}): Promise<MeterProbe[]> {
  return Promise.all(
    Object.entries(METERS).map(([source, open]) => probe(source as MeterSource, () => open(spec, options))),
  );
}

async function probe(source: MeterSource, open: () => Promise<EnergyMeter>): Promise<MeterProbe> {
  try {
    await using meter = await open();
    return { source, isAvailable: true, description: meter.description };
  } catch (error) {
    if (!(error instanceof MeterError)) throw error;
    const [first] = error.problems;
    const where = first?.where === undefined ? '' : `${first.where}: `;
    return { source, isAvailable: false, why: `${where}${first?.what}`, fix: first?.hint ?? '' };
  }
}
