import { mean } from 'simple-statistics';
import { checkLittlesLaw, testDrift } from '../analysis/index.ts';
import type { PlannedTrial } from '../design/types.ts';
import { energyBetween, faultsBetween } from '../energy/index.ts';
import type { EnergyMeter } from '../energy/types.ts';
import {
  createArrivalProcess,
  latenciesMsInOrder,
  type OfferedLoad,
  type RequestRecords,
  type RequestSummary,
  summarizeRequests,
} from '../load/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { NeighbourRecord, Reason, Responses, TrialRecord, Verdict, WindowRecord } from '../store/index.ts';
import { BYTES_PER_MB, MS_PER_S, NS_PER_S, NS_PER_US } from '../units.ts';
import type { RunningConfiguration } from './configuration.ts';
import { levelValue } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import type { Counters } from './counters.ts';
import { MACHINE_CPUS, othersCpus, stolenCpus } from './host.ts';
import type { LatencyIntervals } from './intervals.ts';
import { profileKey } from './model-profiles.ts';
import { estimateOwnNetJ, measureNeighbours } from './neighbour-responses.ts';
import type { NeighbourRequests } from './neighbours.ts';
import { type MaybeResponses, withoutMissing } from './responses.ts';
import { hasPattern } from './running-load.ts';
import { judgeTrial } from './verdict.ts';
import type { WarmUp } from './warm-up.ts';
import { type MeasuredWindows, spanOf } from './windows.ts';

/** Everything a trial observed, once its last request has ended. */
export interface Observations {
  readonly trial: PlannedTrial;
  readonly offered: OfferedLoad;
  /** When the load's schedule began. */
  readonly startedAtNs: number;
  readonly idleGateWaitS: number;
  readonly warmup: WarmUp;
  readonly windows: MeasuredWindows;
  /** Of the latencies over all windows. */
  readonly intervals: LatencyIntervals;
  readonly records: RequestRecords;
  readonly neighbours: readonly NeighbourRequests[];
  readonly configuration: RunningConfiguration;
  readonly context: RunContext;
}

/** What a finished trial's record says: responses over all windows, each window's own, and the verdict. */
export interface Measurement {
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  readonly responses: Responses;
  readonly windows: readonly WindowRecord[];
  /** Absent where the server was alone. */
  readonly neighbours?: readonly NeighbourRecord[];
}

/** Computes a trial's responses from its requests and counters, and judges it. */
export function measureTrial(observed: Observations): Measurement {
  const { configuration, context, idleGateWaitS, intervals, warmup } = observed;
  const { edges, stopReason } = observed.windows;
  const [first, last] = [edges[0] as Counters, edges.at(-1) as Counters];
  const { summary, responses } = measureBetween(first, last, observed);
  const conditions = conditionsBetween(first, last);
  const little = checkLittlesLaw(observed.records, first.atNs, last.atNs);
  const neighbours = measureNeighbours(observed.neighbours, first, last, context.spec.measure.timeoutMs);
  const { verdict, reasons } = judgeTrial({
    isOpenLoop: observed.offered.kind === 'open',
    offeredRps: summary.offeredRps,
    achievedRps: summary.achievedRps,
    requests: summary.requests,
    scheduledRequests: countScheduled(observed.offered, observed.startedAtNs, first.atNs, last.atNs),
    errors: summary.errors,
    timeouts: summary.timeouts,
    lateShare: summary.lateShare,
    generatorCpuUtil: generatorCpus(first, last),
    isCpuShared: context.cpus.isShared,
    neighbours: neighbours.figures,
    areGeneratorsShared: context.cpus.areGeneratorsShared,
    unsteadyBecause: warmup.unsteadyBecause ?? findDrift(observed),
    hasQuota: configuration.server.applied.cpus !== undefined,
    ...conditions,
    onlineCpus: MACHINE_CPUS,
    littlesLawError: little.relativeDifference,
    energyFault: context.meter && (energyFault(context.meter, first, last) ?? context.idle.unknownBecause),
  });
  return {
    verdict,
    reasons: [...reasons, ...summary.notes],
    responses: withoutMissing({
      ...responses,
      ...intervalColumns(intervals, summary),
      ...neighbours.responses,
      ...ownEnergyEstimate(responses, first, last),
      ...gatewayResponses(configuration, first, last),
      lower_bounds: summary.lowerBounds.length === 0 ? undefined : summary.lowerBounds.join('; '),
      capacity_rps: configuration.capacity.capacityRps,
      capacity_slo_rps: configuration.sloCapacity?.rateRps,
      capacity_kind: configuration.capacity.shape,
      generator_ceiling_rps: context.generatorCeilingRps,
      ...accuracyResponses(responses, configuration.model, context),
      ...modelResponses(configuration, context),
      others_cpu_util: conditions.othersCpus,
      steal_cpu_util: conditions.stolenCpus,
      throttled_share: conditions.throttledShare,
      generator_throttled_share: conditions.generatorThrottledShare,
      cpu_frequency_mhz: meanOf(edges.map(({ host }) => host.sensors.cpuFrequencyMhz)),
      temperature_c: meanOf(edges.map(({ host }) => host.sensors.temperatureC)),
      page_faults: difference(first.host.sensors.majorPageFaults, last.host.sensors.majorPageFaults),
      swap_mb: conditions.swappedMb,
      littles_law_error: little.relativeDifference,
      idle_gate_wait_s: idleGateWaitS,
      warmup_s: warmup.seconds,
      window_s: context.spec.measure.windowS,
      windows: edges.length - 1,
      stop_reason: stopReason,
    }),
    windows: edges.slice(1).map((end, index) => {
      const start = edges[index] as Counters;
      const window = measureBetween(start, end, observed);
      return { startNs: start.atNs, endNs: end.atNs, responses: withoutMissing(window.responses) };
    }),
    ...(neighbours.records.length === 0 ? {} : { neighbours: neighbours.records }),
  };
}

/** Of the file that was served; which one a server serves that dse did not start is not known. */
function modelResponses({ model }: RunningConfiguration, { spec, profiles }: RunContext): MaybeResponses {
  if (spec.server.url !== undefined) return {};
  const profile = profiles.get(profileKey(model));
  return {
    bare_latency_ms: profile?.bareLatencyMs,
    bare_throughput_ips: profile?.bareThroughputIps,
    model_size_mb: model.sizeBytes / BYTES_PER_MB,
    params: model.params,
    macs: model.macs,
  };
}

/** Accuracy of what was served, or else of the same file on the samples that the spec names; the column says which. */
function accuracyResponses(
  responses: MaybeResponses,
  model: ResolvedModel,
  { accuracies, spec }: RunContext,
): MaybeResponses {
  if (responses.accuracy_top1 !== undefined) return { accuracy_source: 'served' };
  const evaluated = accuracies.get(model.digest);
  // Which file a server serves that dse did not start is not known.
  if (evaluated === undefined || spec.server.url !== undefined) return {};
  return { accuracy_top1: evaluated.top1, accuracy_top5: evaluated.top5, accuracy_source: 'eval' };
}

/** A drift below this share over the windows is told by no verdict: it is smaller than what replicates differ by. */
const LEAST_DRIFT = 0.2;
const DRIFT_LEVEL = 0.001;
const FEWEST_FOR_DRIFT = 100;

/** Why latency over the measured windows is not steady though the warm-up seemed to be over; undefined where it is, or where the load changes by design. */
function findDrift({ records, windows, offered }: Omit<Observations, 'context'>): string | undefined {
  if (hasPattern(offered)) return undefined;
  const latenciesMs = latenciesMsInOrder(records, spanOf(windows.edges));
  if (latenciesMs.length < FEWEST_FOR_DRIFT) return undefined;
  const { relativeChange, p } = testDrift(latenciesMs, 'log');
  if (p >= DRIFT_LEVEL || Math.abs(relativeChange) < LEAST_DRIFT) return undefined;
  return `latency drifts by ${(relativeChange * 100).toFixed(0)} % over the windows (p = ${p.toPrecision(2)})`;
}

/** What the machine was like between two edges. */
function conditionsBetween(first: Counters, last: Counters) {
  const elapsedUs = (last.atNs - first.atNs) / NS_PER_US;
  const [before, after] = [first.host.sensors, last.host.sensors];
  return {
    // The CPU time of a server that dse did not start cannot be told from that of others.
    othersCpus:
      last.server.cpuTimeUs === undefined
        ? undefined
        : othersCpus(first.host, last.host, last.ownCpuTimeUs - first.ownCpuTimeUs),
    stolenCpus: stolenCpus(first.host, last.host),
    throttledShare: scaled(difference(first.server.throttledUs, last.server.throttledUs), 1 / elapsedUs),
    generatorThrottledShare: scaled(difference(first.ownThrottledUs, last.ownThrottledUs), 1 / elapsedUs),
    thermalThrottles: difference(before.thermalThrottles, after.thermalThrottles),
    swappedMb: scaled(difference(before.swappedBytes, after.swappedBytes), 1 / BYTES_PER_MB),
  };
}

/** Requests that the schedule of an open loop holds between two times, made anew from its seed; undefined for a closed loop. */
function countScheduled(offered: OfferedLoad, startedAtNs: number, fromNs: number, toNs: number): number | undefined {
  if (offered.kind === 'closed') return undefined;
  const arrivals = createArrivalProcess(offered);
  let count = 0;
  for (let atNs = 0; atNs < toNs; ) {
    atNs = startedAtNs + arrivals.nextS() * NS_PER_S;
    if (atNs >= fromNs && atNs < toNs) count++;
  }
  return count;
}

/** Ends of the intervals, and for figures that have none the reason and what it would take. */
function intervalColumns(intervals: LatencyIntervals, { responses }: RequestSummary): MaybeResponses {
  const columns: Record<string, number | string> = {};
  const notes: string[] = [];
  for (const [column, interval] of intervals) {
    if (responses[column] === undefined) continue;
    if (interval.kind === 'interval') {
      columns[`${column}_lo`] = interval.lo;
      columns[`${column}_hi`] = interval.hi;
    } else {
      notes.push(`${column}: ${interval.reason}`);
    }
  }
  return notes.length === 0 ? columns : { ...columns, interval_notes: notes.join('; ') };
}

/** Responses over the stretch between two edges. Requests count by their intended time, replies (throughput) by when they came, joules by the counters at the edges. */
function measureBetween(
  start: Counters,
  end: Counters,
  { records, trial, context }: Observations,
): { readonly summary: RequestSummary; readonly responses: MaybeResponses } {
  const { measure } = context.spec;
  const summary = summarizeRequests(records, {
    startNs: start.atNs,
    endNs: end.atNs,
    timeoutMs: measure.timeoutMs,
    batch: levelValue<number>(trial.levels, 'batch'),
    ...(measure.sloLatencyMs === undefined ? {} : { sloLatencyMs: measure.sloLatencyMs }),
  });
  const batch = levelValue<number>(trial.levels, 'batch');
  const throughputIps = summary.achievedRps * batch;
  const replies = summary.achievedRps * ((end.atNs - start.atNs) / NS_PER_S);
  const { outcomes } = summary;
  return {
    summary,
    responses: {
      ...summary.responses,
      throughput_ips: throughputIps,
      ...resourceResponses(start, end),
      ...energyResponses(start, end, { replies, batch, ...summary.responses }, context),
      refused_count: outcomes.refused,
      reset_count: outcomes.reset,
      http_4xx_count: outcomes.http4xx,
      http_5xx_count: outcomes.http5xx,
      malformed_count: outcomes.malformed,
      generator_cpu_util: generatorCpus(start, end),
    },
  };
}

/** CPU, memory and network of the server between two edges. */
function resourceResponses(start: Counters, end: Counters): MaybeResponses {
  const [before, after] = [start.server, end.server];
  const elapsedUs = (after.atNs - before.atNs) / NS_PER_US;
  return {
    cpu_util: scaled(difference(before.cpuTimeUs, after.cpuTimeUs), 1 / elapsedUs),
    memory_peak_mb: scaled(after.memoryPeakBytes, 1 / BYTES_PER_MB),
    block_read_mb: scaled(difference(before.blockReadBytes, after.blockReadBytes), 1 / BYTES_PER_MB),
    block_write_mb: scaled(difference(before.blockWriteBytes, after.blockWriteBytes), 1 / BYTES_PER_MB),
    // A server without a network namespace of its own has no counters; the load's sockets are then all its traffic.
    network_rx_mb: scaled(
      difference(before.networkRxBytes, after.networkRxBytes) ??
        end.generator.serverRxBytes - start.generator.serverRxBytes,
      1 / BYTES_PER_MB,
    ),
    network_tx_mb: scaled(
      difference(before.networkTxBytes, after.networkTxBytes) ??
        end.generator.serverTxBytes - start.generator.serverTxBytes,
      1 / BYTES_PER_MB,
    ),
  };
}

/** What the gateway used between two edges, and where it ran. */
function gatewayResponses({ gateway }: RunningConfiguration, start: Counters, end: Counters): MaybeResponses {
  if (start.gateway === undefined || end.gateway === undefined) return {};
  const elapsedUs = (end.gateway.atNs - start.gateway.atNs) / NS_PER_US;
  return {
    gateway_cpu_util: scaled(difference(start.gateway.cpuTimeUs, end.gateway.cpuTimeUs), 1 / elapsedUs),
    gateway_cpuset: gateway?.applied.cpuset,
  };
}

/** What the joules of a window are shared out over. */
interface Work {
  /** Good replies that came in it, each of `batch` inferences. */
  readonly replies: number;
  readonly batch: number;
  readonly latency_mean_ms?: number;
  /** Share (0 to 1) of inferences whose answer was right, where they are labelled. */
  readonly accuracy_top1?: number;
}

/** Joules between two edges; empty where there is no meter or it lost count meanwhile. */
function energyResponses(start: Counters, end: Counters, work: Work, context: RunContext): MaybeResponses {
  const { meter, idle } = context;
  if (meter === undefined || start.energy === undefined || end.energy === undefined) return {};
  const known = {
    energy_source: meter.source,
    idle_power_w: idle.power?.powerW,
    idle_power_w_lo: idle.power?.lo,
    idle_power_w_hi: idle.power?.hi,
  };
  if (energyFault(meter, start, end) !== undefined) return known;
  const { totalJ, durationS, powerW } = energyBetween(start.energy, end.energy);
  const netJ = idle.power === undefined ? undefined : totalJ - idle.power.powerW * durationS;
  const perReply = work.replies > 0 ? 1 / work.replies : undefined;
  const perInference = scaled(perReply, 1 / work.batch);
  const perRequestJ = scaled(totalJ, perReply);
  return {
    ...known,
    energy_gross_j: totalJ,
    energy_net_j: netJ,
    power_w: powerW,
    energy_per_request_j: perRequestJ,
    energy_per_inference_j: scaled(totalJ, perInference),
    energy_net_per_inference_j: scaled(netJ, perInference),
    energy_per_correct_j: work.accuracy_top1 ? scaled(totalJ, scaled(perInference, 1 / work.accuracy_top1)) : undefined,
    energy_delay_product_js: scaled(perRequestJ, scaled(work.latency_mean_ms, 1 / MS_PER_S)),
  };
}

/** The server's part of the net energy where neighbours with servers of their own ran beside it: an estimate, and named one. */
function ownEnergyEstimate(responses: MaybeResponses, start: Counters, end: Counters): MaybeResponses {
  const { energy_net_j: netJ, energy_net_per_inference_j: perInferenceJ } = responses as Readonly<
    Record<string, number | undefined>
  >;
  return {
    energy_share_estimate_j: estimateOwnNetJ(netJ, start, end),
    energy_share_estimate_per_inference_j: estimateOwnNetJ(perInferenceJ, start, end),
  };
}

/** Why the joules between two edges are not known; undefined where they are. */
function energyFault(meter: EnergyMeter, start: Counters, end: Counters): string | undefined {
  return faultsBetween(meter, start.atNs, end.atNs)[0]?.reason;
}

/** CPUs the load generator was busy with between two edges; spinning until the next intended time is spare and not counted. */
function generatorCpus(start: Counters, end: Counters): number {
  const busyUs = ({ generator }: Counters) => generator.cpuTimeUs - generator.spinTimeUs;
  return (busyUs(end) - busyUs(start)) / ((end.generator.atNs - start.generator.atNs) / NS_PER_US);
}

function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : mean(known);
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}

function scaled(value: number | undefined, factor: number | undefined): number | undefined {
  return value === undefined || factor === undefined ? undefined : value * factor;
}

/** The numbers of a record for a design that learns; undefined where the trial failed or is invalid. */
export function numericResponses(record: TrialRecord): Readonly<Record<string, number>> | undefined {
  if (record.state === 'failed' || record.verdict === 'invalid') return undefined;
  return Object.fromEntries(
    Object.entries(record.responses).filter(([, value]) => typeof value === 'number'),
  ) as Record<string, number>;
}
