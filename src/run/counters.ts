import type { EnergyMeter, EnergyReading } from '../energy/types.ts';
import type { ResourceUsage, RunningServer } from '../launch/types.ts';
import type { GeneratorUsage, LoadDriver } from '../load/types.ts';
import { monotonicNs } from '../units.ts';
import { type HostReading, readHost } from './host.ts';
import { readOwnThrottledUs } from './own-cgroup.ts';

/** Every cumulative counter at one edge of a measurement window. Each carries the time at which it was read. */
export interface Counters {
  /** The edge itself: latencies, requests and joules are counted from here (or up to here). */
  readonly atNs: number;
  readonly server: ResourceUsage;
  readonly energy: EnergyReading | undefined;
  readonly generator: GeneratorUsage;
  readonly host: HostReading;
  /** CPU time of dse and of what it started, microseconds. */
  readonly ownCpuTimeUs: number;
  /** Time for which dse and its generator were held back by a quota of their own, microseconds. */
  readonly ownThrottledUs: number | undefined;
}

/** Reads all counters together. The edge is the instant of the energy reading where there is one, so that joules and requests share their window exactly. */
export async function readCounters(
  server: RunningServer,
  load: LoadDriver,
  meter: EnergyMeter | undefined,
): Promise<Counters> {
  const [serverUsage, energy, generator, host] = await Promise.all([
    server.readUsage(),
    meter?.read(),
    load.readUsage(),
    readHost(),
  ]);
  return {
    atNs: energy?.atNs ?? monotonicNs(),
    server: serverUsage,
    energy,
    generator,
    host,
    ownCpuTimeUs: ownCpuTimeUs(serverUsage, generator),
    ownThrottledUs: readOwnThrottledUs(),
  };
}

/** CPU time so far of dse, the server and the generator, microseconds. */
export async function readCpuTimeUs(server: RunningServer, load: LoadDriver): Promise<number> {
  const [serverUsage, generator] = await Promise.all([server.readUsage(), load.readUsage()]);
  return ownCpuTimeUs(serverUsage, generator);
}

function ownCpuTimeUs(server: ResourceUsage, generator: GeneratorUsage): number {
  const { user, system } = process.cpuUsage();
  return server.cpuTimeUs + generator.cpuTimeUs + user + system;
}
