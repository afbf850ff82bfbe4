import { existsSync } from 'node:fs';
import { MeterError, messageOf } from '../errors.ts';
import type { EnergySpec } from '../spec/types.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import { busySOfNode, readBusyS } from './cpu-time.ts';
import { FaultLog } from './fault-log.ts';
import type { MeterOptions } from './options.ts';
import type { EnergyMeter, EnergyReading } from './types.ts';

/**
 * Energy from CPU time and a power model, for machines without a counter. An estimate, and called so everywhere.
 *
 *     P = P_idle + P_core * b          E(t0, t1) = P_idle * (t1 - t0) + P_core * (B(t1) - B(t0))
 *
 * P       power of the whole machine, W
 * P_idle  `energy.estimate.idleW`: its power with all CPUs idle, W
 * P_core  `energy.estimate.corePowerW`: what one fully busy CPU (as the kernel counts them) adds, W
 * b       busy CPUs, a number between 0 and the number of CPUs
 * B(t)    seconds for which CPUs were busy up to t, all CPUs of the machine added, so that b is its slope
 * E       energy, J
 *
 * E is a difference of two running sums and needs no sampling, so a window's energy is exact under the model but for the 10 ms steps in which the kernel counts.
 * @throws MeterError if CPU time cannot be read
 * Source: Fan, Weber and Barroso, "Power Provisioning for a Warehouse-sized Computer", ISCA 2007 (power
 * linear in CPU utilisation).
 */
export async function openEstimate(spec: EnergySpec, options: MeterOptions = {}): Promise<EnergyMeter> {
  const { idleW, corePowerW } = spec.estimate;
  const readBusy = busyReader(options.procStat);
  const log = new FaultLog();
  const startNs = monotonicNs();
  let last = { atNs: startNs, busyS: readFirst(readBusy) };
  let totalBusyS = 0;
  let isLost = false;

  const countBusy = (atNs: number): void => {
    try {
      const busyS = readBusy();
      if (isLost || busyS < last.busyS) log.note('CPU time', last.atNs, atNs, `fell from ${last.busyS} to ${busyS} s`);
      totalBusyS += Math.max(0, busyS - last.busyS);
      isLost = false;
      last = { atNs, busyS };
    } catch (error) {
      isLost = true;
      log.note('CPU time', last.atNs, atNs, `cannot be read: ${messageOf(error)}`);
    }
  };
  const read = (): EnergyReading => {
    const atNs = monotonicNs();
    countBusy(atNs);
    return { atNs, zonesJ: { idle: (idleW * (atNs - startNs)) / NS_PER_S, cpu: corePowerW * totalBusyS } };
  };
  return {
    source: 'estimate',
    isEstimate: true,
    description: `estimate: ${idleW} W idle + ${corePowerW} W per busy CPU of the whole machine, from CPU time`,
    read: async () => read(),
    get faults() {
      return log.list();
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** What the estimate is, and what it would be off by. For people, above all in `dse doctor`. */
export interface EstimateAccount {
  readonly formula: string;
  readonly source: string;
  readonly offBy: readonly string[];
}

export function describeEstimate(spec: EnergySpec): EstimateAccount {
  const { idleW, corePowerW } = spec.estimate;
  return {
    formula: `power = ${idleW} W (machine idle) + ${corePowerW} W x busy CPUs; energy = its sum over time`,
    source: 'linear in CPU utilisation: Fan, Weber and Barroso, ISCA 2007',
    offBy: [
      'the scale: both parameters are settings and not measured here, so the joules are off by as much as they are; a wattmeter at the plug, idle and under a full load, gives the true ones',
      'clock frequency: a core at its turbo clock draws two to three times what it does at its base clock, and all count the same here',
      'kind of work: vector instructions and memory traffic draw up to 2 to 3 times more (or less) per CPU second than other work, so variants that differ in them (int8 and float, batch sizes) are told apart too little',
      'hyper-threads: the second thread of a busy core adds far less than the first, and both count as a whole CPU',
      'parts that are not the CPU: memory, disks, network and graphics count only as part of the idle power',
      'other work: every process of the machine is counted, not only the server',
      'short windows: CPU time comes in steps of 10 ms per CPU',
    ],
  };
}

function busyReader(procStat = '/proc/stat'): () => number {
  return existsSync(procStat) ? () => readBusyS(procStat) : busySOfNode;
}

function readFirst(readBusy: () => number): number {
  try {
    return readBusy();
  } catch (error) {
    throw new MeterError(
      {
        what: `CPU time cannot be read: ${messageOf(error)}`,
        hint: 'Without it there is no estimate: set "source: none".',
      },
      error,
    );
  }
}
