import type { EnergyMeter, EnergyReading } from '../energy/types.ts';
import { type ResourceUsage, type RunningServer, readOwnThrottledUs } from '../launch/index.ts';
import type { GeneratorUsage, LoadDriver } from '../load/types.ts';
import { monotonicNs } from '../units.ts';
import { type HostReading, readHost } from './host.ts';
import type { NeighbourUsage } from './neighbour.ts';
import type { Neighbours } from './neighbours.ts';

/** Every cumulative counter at one edge of a measurement window. Each carries the time at which it was read. */
export interface Counters {
  /** The edge itself: latencies, requests and joules are counted from here (or up to here). */
  readonly atNs: number;
  readonly server: ResourceUsage;
  readonly energy: EnergyReading | undefined;
  readonly generator: GeneratorUsage;
  /** In the order of the level; empty where the server is alone. */
  readonly neighbours: readonly NeighbourUsage[];
  /** Undefined where there is none. */
  readonly gateway: ResourceUsage | undefined;
  readonly host: HostReading;
  /** CPU time of dse and of what it started, microseconds. */
  readonly ownCpuTimeUs: number;
  /** Length of the quota periods in which a quota on dse itself, and so on its generator, was used up, microseconds. */
  readonly ownThrottledUs: number | undefined;
}

/** The servers whose counters are read. */
export interface Served {
  readonly server: RunningServer;
  readonly neighbours: Neighbours;
  /** The gateway in front of them; undefined where there is none. */
  readonly gateway: RunningServer | undefined;
}

/** Reads all counters together. The edge is the instant of the energy reading where there is one, so that joules and requests share their window exactly. */
export async function readCounters(
  { server, neighbours, gateway }: Served,
  load: LoadDriver,
  meter: EnergyMeter | undefined,
): Promise<Counters> {
  const [serverUsage, energy, generator, neighbourUsages, gatewayUsage, host] = await Promise.all([
    server.readUsage(),
    meter?.read(),
    load.readUsage(),
    neighbours.readUsage(),
    gateway?.readUsage(),
    readHost(),
  ]);
  return {
    atNs: energy?.atNs ?? monotonicNs(),
    server: serverUsage,
    energy,
    generator,
    neighbours: neighbourUsages,
    gateway: gatewayUsage,
    host,
    ownCpuTimeUs: ownCpuTimeUs(serverUsage, generator, neighbourUsages, gatewayUsage),
    ownThrottledUs: readOwnThrottledUs(),
  };
}

/** CPU time so far of dse, the server as far as it is known, its neighbours, the gateway and the generators, microseconds. */
export async function readCpuTimeUs({ server, neighbours, gateway }: Served, load: LoadDriver): Promise<number> {
  const usages = [server.readUsage(), load.readUsage(), neighbours.readUsage(), gateway?.readUsage()] as const;
  return ownCpuTimeUs(...(await Promise.all(usages)));
}

/** CPU time of neighbours' servers and of their load generators, microseconds; nothing for what was never read. */
export function neighbourCpuTimeUs(neighbours: readonly NeighbourUsage[]): number {
  return neighbours.reduce(
    (sum, { server, generator }) => sum + (server?.cpuTimeUs ?? 0) + (generator?.cpuTimeUs ?? 0),
    0,
  );
}

function ownCpuTimeUs(
  server: ResourceUsage,
  generator: GeneratorUsage,
  neighbours: readonly NeighbourUsage[],
  gateway: ResourceUsage | undefined,
): number {
  const { user, system } = process.cpuUsage();
  const served = (server.cpuTimeUs ?? 0) + neighbourCpuTimeUs(neighbours) + (gateway?.cpuTimeUs ?? 0);
  return served + generator.cpuTimeUs + user + system;
}
