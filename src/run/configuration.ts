import type { PlannedConfiguration } from '../design/types.ts';
import type { RunningServer, ServerExit } from '../launch/types.ts';
import type { ResolvedModel } from '../models/types.ts';
import { deriveSeed } from '../rng.ts';
import { monotonicNs, NS_PER_MS } from '../units.ts';
import { type Capacity, measureCapacity } from './capacity.ts';
import {
  CALIBRATION_POINTS,
  launchedServerOf,
  limitsOf,
  loadTargetOf,
  throughGateway,
} from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import { describeExit } from './describe-exit.ts';
import { labelOf } from './labels.ts';
import { isTogether, neighboursInside } from './neighbour-settings.ts';
import type { Neighbours } from './neighbours.ts';
import { checkModelSettings, checkReadiness, checkServerSettings } from './readiness.ts';
import { modelOf } from './resolve-models.ts';
import { measureSloCapacity, type SloCapacity } from './slo-capacity.ts';
import { isBehindGateway, startGateway } from './start-gateway.ts';
import { startNeighbours } from './start-neighbours.ts';
import { TrialFailure, unless } from './waiting.ts';

/** A server configuration that is up: launched, answering, its capacity known. Disposing it stops the server. */
export interface RunningConfiguration extends AsyncDisposable {
  readonly model: ResolvedModel;
  readonly server: RunningServer;
  readonly neighbours: Neighbours;
  /** In front of all of them; undefined where there is none. */
  readonly gateway: RunningServer | undefined;
  readonly capacity: Capacity;
  /** Highest rate that meets the spec's objective on latency; undefined where it has none. */
  readonly sloCapacity: SloCapacity | undefined;
  /** Aborted when a trial on this server can no longer go on: the server is gone, or the user ended the run. */
  readonly signal: AbortSignal;
  /** How the server ended, once it has. */
  readonly exit: () => ServerExit | undefined;
  /** Whether it can no longer run a trial as it should: the server, a neighbour or the gateway is gone. */
  readonly isBroken: () => boolean;
}

/** Where a configuration that could not be brought up had got to. */
export class ConfigurationFailure extends TrialFailure {
  readonly phase: 'launch' | 'ready' | 'calibrate';
  readonly exit: ServerExit | undefined;

  constructor(phase: ConfigurationFailure['phase'], exit: ServerExit | undefined, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.phase = phase;
    this.exit = exit;
  }
}

/**
 * Launches a server configuration with its neighbours and gateway, waits until each answers a real inference and measures the capacity of the server beside its neighbours' load.
 *
 * @throws ConfigurationFailure with the phase it failed in, the server and its neighbours being gone by then; the signal's reason where the user ended the run
 */
export async function startConfiguration(
  planned: PlannedConfiguration,
  context: RunContext,
): Promise<RunningConfiguration> {
  const { spec, load, emit, store } = context;
  const { levels, configurationId, block } = planned;
  const startNs = monotonicNs();
  const model = modelOf(planned, context.models);
  emit({ type: 'server-starting', configurationId, label: labelOf(levels, spec, { withLoad: false }), block });

  let phase: ConfigurationFailure['phase'] = 'launch';
  let exit: ServerExit | undefined;
  let server: RunningServer | undefined;
  let neighbours: Neighbours | undefined;
  let gateway: RunningServer | undefined;
  let isGatewayGone = false;
  const gone = new AbortController();
  const signal = AbortSignal.any([context.signal, gone.signal]);
  try {
    if (!isTogether(levels)) neighbours = await startNeighbours(planned, context, undefined, signal);
    const launched = launchedServerOf(levels, model, spec.server, neighboursInside(levels, context.models));
    server = await context.launcher.start(
      {
        runLabel: context.runLabel,
        ...launched,
        limits: limitsOf(levels, context.cpus.server),
        logFile: store.logPath(`${configurationId}-b${block}`),
        readyTimeoutMs: spec.server.readyTimeoutMs,
      },
      signal,
    );
    void server.exited.then((ended) => {
      exit = ended;
      gone.abort(new TrialFailure(describeExit('the server', ended)));
    });
    phase = 'ready';
    const target = loadTargetOf(
      levels,
      model,
      server,
      deriveSeed(spec.design.seed, 'samples', configurationId, block),
      spec.server.description?.api,
      spec.generator,
    );
    const readySignal = AbortSignal.any([signal, AbortSignal.timeout(spec.server.readyTimeoutMs)]);
    await unless(readySignal, checkReadiness(target, readySignal));
    const [served] = launched.settings.models;
    if (served !== undefined) {
      await unless(readySignal, checkModelSettings(served, server.url, readySignal));
      await unless(readySignal, checkServerSettings(launched.settings, server.url, readySignal));
    }
    neighbours ??= await startNeighbours(planned, context, server, signal);
    if (isBehindGateway(levels)) {
      gateway = await startGateway(planned, [target, ...neighbours.all.map((one) => one.target)], context, signal);
      void gateway.exited.then((ended) => {
        isGatewayGone = true;
        gone.abort(new TrialFailure(describeExit('the gateway', ended)));
      });
      await neighbours.sendThrough(gateway, spec.measure.timeoutMs);
    }
    emit({ type: 'server-ready', configurationId, tookMs: (monotonicNs() - startNs) / NS_PER_MS });

    phase = 'calibrate';
    const address = gateway === undefined ? target : throughGateway(target, gateway);
    await unless(signal, load.prepare(address, { timeoutMs: spec.measure.timeoutMs }));
    await using neighbourLoads = await neighbours.startLoads(deriveSeed(spec.design.seed, configurationId, block));
    const { calibrationS, sloLatencyMs, timeoutMs } = spec.measure;
    const capacity = await measureCapacity(load, {
      pointS: calibrationS / CALIBRATION_POINTS,
      maxPointS: calibrationS,
      signal,
    });
    const sloCapacity =
      sloLatencyMs === undefined
        ? undefined
        : await measureSloCapacity(load, {
            capacityRps: capacity.capacityRps,
            sloLatencyMs,
            timeoutMs,
            connections: spec.generator.connections,
            spin: spec.generator.spin,
            seed: deriveSeed(spec.design.seed, 'slo-capacity', configurationId, block),
            probeS: calibrationS / CALIBRATION_POINTS,
            maxProbeS: calibrationS,
            signal,
          });
    await neighbourLoads.stop();
    for (const { neighbour, exit } of neighbours.all)
      if (exit !== undefined) throw new TrialFailure(describeExit(`neighbour "${neighbour.name}"`, exit));
    emit({ type: 'capacity-found', configurationId, capacityRps: capacity.capacityRps });
    const [running, beside, front] = [server, neighbours, gateway];
    return {
      model,
      server,
      neighbours,
      gateway,
      capacity,
      sloCapacity,
      signal,
      exit: () => exit,
      isBroken: () => exit !== undefined || beside.isBroken || isGatewayGone,
      [Symbol.asyncDispose]: async () => {
        await front?.[Symbol.asyncDispose]();
        await Promise.all([beside[Symbol.asyncDispose](), running[Symbol.asyncDispose]()]);
        emit({ type: 'server-stopped', configurationId });
      },
    };
  } catch (error) {
    await gateway?.[Symbol.asyncDispose]();
    await Promise.all([neighbours?.[Symbol.asyncDispose](), server?.[Symbol.asyncDispose]()]);
    context.signal.throwIfAborted();
    throw new ConfigurationFailure(phase, exit, error);
  }
}
