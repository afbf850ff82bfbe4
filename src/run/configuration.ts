import type { PlannedConfiguration } from '../design/types.ts';
import type { RunningServer, ServerExit } from '../launch/types.ts';
import type { ResolvedModel } from '../models/types.ts';
import { deriveSeed } from '../rng.ts';
import { monotonicNs, NS_PER_MS } from '../units.ts';
import { type Capacity, measureCapacity } from './capacity.ts';
import { limitsOf, loadTargetOf, serverSettingsOf } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import { labelOf } from './labels.ts';
import { checkReadiness } from './readiness.ts';
import { modelOf } from './resolve-models.ts';
import { measureSloCapacity, type SloCapacity } from './slo-capacity.ts';
import { TrialFailure, unless } from './waiting.ts';

/** Points a calibration takes where capacity is reached with two requests in flight, as with one session: 1, 2, 4, 8 and 16. */
const CALIBRATION_POINTS = 5;

/** A server configuration that is up: launched, answering, its capacity known. Disposing it stops the server. */
export interface RunningConfiguration extends AsyncDisposable {
  readonly model: ResolvedModel;
  readonly server: RunningServer;
  readonly capacity: Capacity;
  /** Highest rate that meets the spec's objective on latency; undefined where it has none. */
  readonly sloCapacity: SloCapacity | undefined;
  /** Aborted when a trial on this server can no longer go on: the server is gone, or the user ended the run. */
  readonly signal: AbortSignal;
  /** How the server ended, once it has. */
  readonly exit: () => ServerExit | undefined;
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
 * Launches a server configuration, waits until it answers a real inference and measures its capacity.
 *
 * @throws ConfigurationFailure with the phase it failed in, the server being gone by then; the signal's reason where the user ended the run
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
  const gone = new AbortController();
  const signal = AbortSignal.any([context.signal, gone.signal]);
  try {
    server = await context.launcher.start(
      {
        runLabel: context.runLabel,
        settings: serverSettingsOf(levels, model),
        limits: limitsOf(levels, context.cpus.server),
        logFile: store.logPath(`${configurationId}-b${block}`),
        readyTimeoutMs: spec.server.readyTimeoutMs,
      },
      signal,
    );
    void server.exited.then((ended) => {
      exit = ended;
      gone.abort(new TrialFailure(describeExit(ended)));
    });
    phase = 'ready';
    const target = loadTargetOf(
      levels,
      model,
      server.url,
      deriveSeed(spec.design.seed, 'samples', configurationId, block),
    );
    const readySignal = AbortSignal.any([signal, AbortSignal.timeout(spec.server.readyTimeoutMs)]);
    await unless(readySignal, checkReadiness(target, readySignal));
    emit({ type: 'server-ready', configurationId, tookMs: (monotonicNs() - startNs) / NS_PER_MS });

    phase = 'calibrate';
    await unless(signal, load.prepare(target, { timeoutMs: spec.measure.timeoutMs }));
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
            seed: deriveSeed(spec.design.seed, 'slo-capacity', configurationId, block),
            probeS: calibrationS / CALIBRATION_POINTS,
            maxProbeS: calibrationS,
            signal,
          });
    emit({ type: 'capacity-found', configurationId, capacityRps: capacity.capacityRps });
    const running = server;
    return {
      model,
      server,
      capacity,
      sloCapacity,
      signal,
      exit: () => exit,
      [Symbol.asyncDispose]: async () => {
        await running[Symbol.asyncDispose]();
        emit({ type: 'server-stopped', configurationId });
      },
    };
  } catch (error) {
    await server?.[Symbol.asyncDispose]();
    context.signal.throwIfAborted();
    throw new ConfigurationFailure(phase, exit, error);
  }
}

function describeExit({ exitCode, signal, isOomKilled, lastLines }: ServerExit): string {
  const how = isOomKilled
    ? 'was killed by the kernel: its memory limit was reached (oom-killed)'
    : signal === undefined
      ? `ended with exit code ${exitCode}`
      : `was ended by ${signal}`;
  const lastLine = lastLines.at(-1);
  return `the server ${how}${lastLine === undefined ? '' : `; its last line: ${lastLine}`}`;
}
