import { type RequestSummary, summarizeRequests } from '../load/index.ts';
import type { NeighbourRecord } from '../store/types.ts';
import { BYTES_PER_MB, NS_PER_S, NS_PER_US } from '../units.ts';
import { type Counters, neighbourCpuTimeUs } from './counters.ts';
import type { NeighbourUsage } from './neighbour.ts';
import type { NeighbourRequests } from './neighbours.ts';
import { withoutMissing } from './responses.ts';
import type { NeighbourFigures } from './verdict.ts';

/** What the neighbours did between two edges. */
export interface MeasuredNeighbours {
  readonly records: readonly NeighbourRecord[];
  readonly figures: readonly NeighbourFigures[];
  /** Columns of `trials.csv`, over all of them; none where there are none. */
  readonly responses: Readonly<Record<string, number | undefined>>;
}

/** Sums up each neighbour's requests and use of resources, and all of them together. */
export function measureNeighbours(
  requests: readonly NeighbourRequests[],
  start: Counters,
  end: Counters,
  timeoutMs: number,
): MeasuredNeighbours {
  if (requests.length === 0) return { records: [], figures: [], responses: {} };
  const window = { startNs: start.atNs, endNs: end.atNs, timeoutMs };
  const measured = requests.map(({ neighbour, records }, at) => ({
    neighbour,
    summary: summarizeRequests(records, { ...window, batch: neighbour.neighbour.batch }),
    used: useBetween(start.neighbours[at], end.neighbours[at]),
  }));
  const seconds = (end.atNs - start.atNs) / NS_PER_S;
  const total = (of: (one: RequestSummary) => number) => measured.reduce((sum, { summary }) => sum + of(summary), 0);
  const cpuUtils = measured.flatMap(({ used }) => (used.cpu_util === undefined ? [] : [used.cpu_util]));
  return {
    records: measured.map(({ neighbour, summary, used }): NeighbourRecord => {
      const { neighbour: level, server, capacityRps, exit } = neighbour;
      return {
        ...{ name: level.name, model: level.model, variant: level.variant },
        ...(server === undefined ? {} : { applied: server.applied, mechanism: server.mechanism }),
        responses: withoutMissing({
          capacity_rps: capacityRps,
          throughput_ips: summary.achievedRps * level.batch,
          ...summary.responses,
          ...used,
        }),
        ...(exit === undefined ? {} : { exit }),
      };
    }),
    figures: measured.map(({ neighbour, summary }) => ({
      name: neighbour.neighbour.name,
      exit: neighbour.exit,
      isOpenLoop: neighbour.neighbour.load.kind !== 'concurrency',
      requests: summary.requests,
      answered: Math.round(summary.achievedRps * seconds),
      errors: summary.errors,
      timeouts: summary.timeouts,
    })),
    responses: {
      neighbour_offered_rps: total(({ offeredRps }) => offeredRps),
      neighbour_achieved_rps: total(({ achievedRps }) => achievedRps),
      neighbour_latency_mean_ms: meanLatencyMs(measured.map(({ summary }) => summary)),
      neighbour_cpu_util: cpuUtils.length === 0 ? undefined : cpuUtils.reduce((sum, value) => sum + value, 0),
    },
  };
}

/**
 * Estimates the part of the net energy between two edges that is not the neighbours', joules: their part is taken to be their share of the machine's busy CPU time, servers
 * and load generators.
 *
 * An estimate whatever the meter: a CPU second of one program may draw several times what that of another does, by vector width and memory traffic.
 * @returns undefined where no neighbour has a server of its own, so that its CPU time cannot be told from that of the server under test
 */
export function estimateOwnNetJ(netJ: number | undefined, start: Counters, end: Counters): number | undefined {
  if (netJ === undefined || !end.neighbours.some(({ server }) => server !== undefined)) return undefined;
  const busyUs = end.host.busyUs - start.host.busyUs;
  const neighboursUs = neighbourCpuTimeUs(end.neighbours) - neighbourCpuTimeUs(start.neighbours);
  return netJ * (1 - Math.min(1, neighboursUs / busyUs));
}

/** CPU and memory of a neighbour's own server. */
function useBetween(
  before: NeighbourUsage | undefined,
  after: NeighbourUsage | undefined,
): { cpu_util?: number; memory_peak_mb?: number | undefined } {
  const [first, last] = [before?.server, after?.server];
  // A server that ended has the same last reading at both edges, and nothing to tell of the time between them.
  if (first?.cpuTimeUs === undefined || last?.cpuTimeUs === undefined || last.atNs <= first.atNs) return {};
  return {
    cpu_util: (last.cpuTimeUs - first.cpuTimeUs) / ((last.atNs - first.atNs) / NS_PER_US),
    memory_peak_mb: last.memoryPeakBytes === undefined ? undefined : last.memoryPeakBytes / BYTES_PER_MB,
  };
}

/** Mean over the requests of all of them. */
function meanLatencyMs(summaries: readonly RequestSummary[]): number | undefined {
  let count = 0;
  let sumMs = 0;
  for (const { responses, errors, requests } of summaries) {
    const meanMs = responses.latency_mean_ms;
    if (meanMs === undefined) continue;
    // Errors have no latency; timeouts and what was never answered have.
    count += requests - errors;
    sumMs += meanMs * (requests - errors);
  }
  return count === 0 ? undefined : sumMs / count;
}
