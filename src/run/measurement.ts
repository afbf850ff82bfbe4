import { availableParallelism } from 'node:os';
import type { PlannedTrial } from '../design/types.ts';
import { energyBetween, faultsBetween } from '../energy/index.ts';
import type { EnergyMeter } from '../energy/types.ts';
import { type OfferedLoad, type RequestRecords, type RequestSummary, summarizeRequests } from '../load/index.ts';
import type { Reason, Responses, TrialRecord, Verdict, WindowRecord } from '../store/index.ts';
import { BYTES_PER_MB, NS_PER_S, NS_PER_US } from '../units.ts';
import type { RunningConfiguration } from './configuration.ts';
import { levelValue } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import type { Counters } from './counters.ts';
import { othersCpus, stolenCpus } from './host.ts';
import { judgeTrial } from './verdict.ts';
import type { WarmUp } from './warm-up.ts';
import type { MeasuredWindows } from './windows.ts';

/** Everything a trial observed, once its last request has ended. */
export interface Observations {
  readonly trial: PlannedTrial;
  readonly offered: OfferedLoad;
  readonly idleGateWaitS: number;
  readonly warmup: WarmUp;
  readonly windows: MeasuredWindows;
  readonly records: RequestRecords;
  readonly configuration: RunningConfiguration;
  readonly context: RunContext;
}

/** What a finished trial's record says: responses over all windows, each window's own, and the verdict. */
export interface Measurement {
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  readonly responses: Responses;
  readonly windows: readonly WindowRecord[];
}

/** Computes a trial's responses from its requests and counters, and judges it. */
export function measureTrial(observed: Observations): Measurement {
  const { edges, stopReason } = observed.windows;
  const [first, last] = [edges[0] as Counters, edges.at(-1) as Counters];
  const whole = measureBetween(first, last, observed);
  const { configuration, context, warmup } = observed;
  const { spec, cpus } = context;
  const { summary } = whole;
  const { verdict, reasons } = judgeTrial({
    isOpenLoop: observed.offered.kind === 'open',
    offeredRps: summary.offeredRps,
    achievedRps: summary.achievedRps,
    requests: summary.requests,
    errors: summary.errors,
    timeouts: summary.timeouts,
    lateShare: summary.lateShare,
    generatorCpuUtil: generatorCpus(first, last),
    isCpuShared: cpus.isShared,
    unsteadyBecause: warmup.unsteadyBecause,
    othersCpus: othersCpus(first.host, last.host, last.ownCpuTimeUs - first.ownCpuTimeUs),
    stolenCpus: stolenCpus(first.host, last.host),
    onlineCpus: availableParallelism(),
    energyFault: context.meter && energyFault(context.meter, first, last),
  });
  return {
    verdict,
    reasons: [...reasons, ...summary.notes],
    responses: withoutMissing({
      ...whole.responses,
      capacity_rps: configuration.capacity.capacityRps,
      model_size_mb: configuration.model.sizeBytes / BYTES_PER_MB,
      params: configuration.model.params,
      macs: configuration.model.macs,
      idle_gate_wait_s: observed.idleGateWaitS,
      warmup_s: warmup.seconds,
      window_s: spec.measure.windowS,
      windows: edges.length - 1,
      stop_reason: stopReason,
    }),
    windows: edges.slice(1).map((end, index) => {
      const start = edges[index] as Counters;
      const { responses } = measureBetween(start, end, observed);
      return { startNs: start.atNs, endNs: end.atNs, responses: withoutMissing(responses) };
    }),
  };
}

type MaybeResponses = Readonly<Record<string, number | string | undefined>>;

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
  const inferences = throughputIps * ((end.atNs - start.atNs) / NS_PER_S);
  return {
    summary,
    responses: {
      ...summary.responses,
      throughput_ips: throughputIps,
      ...resourceResponses(start, end),
      ...energyResponses(start, end, inferences, context),
      generator_cpu_util: generatorCpus(start, end),
    },
  };
}

/** CPU, memory and network of the server between two edges. */
function resourceResponses(start: Counters, end: Counters): MaybeResponses {
  const [before, after] = [start.server, end.server];
  const elapsedUs = (after.atNs - before.atNs) / NS_PER_US;
  return {
    cpu_util: (after.cpuTimeUs - before.cpuTimeUs) / elapsedUs,
    memory_peak_mb: scaled(after.memoryPeakBytes, 1 / BYTES_PER_MB),
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

/** Joules between two edges; empty where there is no meter or it lost count meanwhile. */
function energyResponses(start: Counters, end: Counters, inferences: number, context: RunContext): MaybeResponses {
  const { meter, idlePower } = context;
  if (meter === undefined || start.energy === undefined || end.energy === undefined) return {};
  const source = { energy_source: meter.source, idle_power_w: idlePower?.powerW };
  if (energyFault(meter, start, end) !== undefined) return source;
  const { totalJ, durationS, powerW } = energyBetween(start.energy, end.energy);
  const netJ = idlePower === undefined ? undefined : totalJ - idlePower.powerW * durationS;
  const perInference = inferences > 0 ? 1 / inferences : undefined;
  return {
    ...source,
    energy_gross_j: totalJ,
    energy_net_j: netJ,
    power_w: powerW,
    energy_per_inference_j: scaled(totalJ, perInference),
    energy_net_per_inference_j: scaled(netJ, perInference),
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

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}

function scaled(value: number | undefined, factor: number | undefined): number | undefined {
  return value === undefined || factor === undefined ? undefined : value * factor;
}

function withoutMissing(responses: MaybeResponses): Responses {
  return Object.fromEntries(Object.entries(responses).filter(([, value]) => value !== undefined)) as Responses;
}

/** The numbers of a record for a design that learns; undefined where the trial failed or is invalid. */
export function numericResponses(record: TrialRecord): Readonly<Record<string, number>> | undefined {
  if (record.state === 'failed' || record.verdict === 'invalid') return undefined;
  return Object.fromEntries(
    Object.entries(record.responses).filter(([, value]) => typeof value === 'number'),
  ) as Record<string, number>;
}
