import type { PlannedConfiguration } from '../design/types.ts';
import type { RunningServer } from '../launch/types.ts';
import { createLoadDriver } from '../load/index.ts';
import type { LoadDriver } from '../load/types.ts';
import { deriveSeed } from '../rng.ts';
import { neighboursOf } from '../spec/index.ts';
import type { Neighbour } from '../spec/types.ts';
import { measureCapacity } from './capacity.ts';
import { CALIBRATION_POINTS, type InferenceTarget, limitsOf } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import { describeExit } from './describe-exit.ts';
import { RunningNeighbour } from './neighbour.ts';
import { isGeneratorShared } from './neighbour-cpus.ts';
import {
  isTogether,
  modelSettingsOf,
  neighbourLimitsOf,
  neighbourSettingsOf,
  neighbourTargetOf,
} from './neighbour-settings.ts';
import { Neighbours } from './neighbours.ts';
import { checkModelSettings, checkReadiness } from './readiness.ts';
import { neighbourModelOf } from './resolve-models.ts';
import { TrialFailure, unless } from './waiting.ts';

/**
 * Launches the neighbours of a configuration one after another, each in a process or container of its own, waits until each answers a real inference, and measures the
 * capacity of those whose load is a share of it. None is under load meanwhile, nor is the server under test: a capacity is the neighbour's alone.
 *
 * @param host - the server under test, where the neighbours' models are inside it and are not launched; it is not up yet where they are apart
 * @throws TrialFailure naming the neighbour, all of them being gone by then; the signal's reason where it was aborted
 */
export async function startNeighbours(
  planned: PlannedConfiguration,
  context: RunContext,
  host: RunningServer | undefined,
  signal: AbortSignal,
): Promise<Neighbours> {
  const running: RunningNeighbour[] = [];
  try {
    for (const neighbour of neighboursOf(planned.levels.colocated)) {
      running.push(await startNeighbour(neighbour, planned, context, host, signal));
    }
    return new Neighbours(running, signal);
  } catch (error) {
    for (const one of running) await one[Symbol.asyncDispose]();
    throw error;
  }
}

async function startNeighbour(
  neighbour: Neighbour,
  planned: PlannedConfiguration,
  context: RunContext,
  host: RunningServer | undefined,
  signal: AbortSignal,
): Promise<RunningNeighbour> {
  const { spec } = context;
  let server: RunningServer | undefined;
  let load: LoadDriver | undefined;
  try {
    const model = neighbourModelOf(neighbour, context.models);
    if (host === undefined) server = await launch(neighbour, planned, context, signal);
    const gone = new AbortController();
    void server?.exited.then((exit) => gone.abort(new TrialFailure(describeExit('it', exit))));
    const whileUp = AbortSignal.any([signal, gone.signal]);
    const answering = host ?? (server as RunningServer);
    const seed = deriveSeed(spec.design.seed, 'neighbour-samples', neighbour.name, planned.block);
    const target = neighbourTargetOf(neighbour, model, answering.url, seed);
    await untilReady(target, spec.server.readyTimeoutMs, whileUp);
    const settings = modelSettingsOf(neighbour, model);
    await unless(whileUp, checkModelSettings(settings, answering.url, whileUp));
    const { neighbourGenerators: cpuset } = context.cpus;
    const isShared = isGeneratorShared(context.cpus);
    load = isShared ? context.load.openBeside() : await createLoadDriver(cpuset === undefined ? {} : { cpuset });
    await unless(whileUp, load.prepare(target, { timeoutMs: spec.measure.timeoutMs }));
    const capacityRps = await capacityOf(neighbour, planned, answering, load, context, whileUp);
    return new RunningNeighbour({
      ...{ neighbour, server, load, target, capacityRps },
      generator: spec.generator,
      hasOwnGenerator: !isShared,
    });
  } catch (error) {
    await load?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new TrialFailure(`neighbour "${neighbour.name}" could not be started: ${reason}`, { cause: error });
  }
}

function launch(
  neighbour: Neighbour,
  { configurationId, block, levels }: PlannedConfiguration,
  { launcher, store, spec, cpus, models, runLabel }: RunContext,
  signal: AbortSignal,
): Promise<RunningServer> {
  return launcher.start(
    {
      runLabel,
      settings: neighbourSettingsOf(neighbour, neighbourModelOf(neighbour, models)),
      limits: neighbourLimitsOf(neighbour, limitsOf(levels, cpus.server)),
      logFile: store.logPath(`${configurationId}-b${block}-${neighbour.name}`),
      readyTimeoutMs: spec.server.readyTimeoutMs,
    },
    signal,
  );
}

async function untilReady(target: InferenceTarget, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const readySignal = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  await unless(readySignal, checkReadiness(target, readySignal));
}

/** What the neighbour answers alone, measured once in a block for equal neighbours under equal limits; undefined where its load does not depend on it. */
async function capacityOf(
  neighbour: Neighbour,
  { block, levels, configurationId }: PlannedConfiguration,
  { applied }: RunningServer,
  load: LoadDriver,
  { spec, neighbourCapacities }: RunContext,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (neighbour.load.kind !== 'utilization') return undefined;
  const { load: _load, name: _name, ...what } = neighbour;
  // Inside the server under test, it also depends on how that is set up.
  const key = JSON.stringify([block, what, applied, isTogether(levels) ? configurationId : '']);
  const known = neighbourCapacities.get(key);
  if (known !== undefined) return known;
  const { calibrationS } = spec.measure;
  const { capacityRps } = await measureCapacity(load, {
    pointS: calibrationS / CALIBRATION_POINTS,
    maxPointS: calibrationS,
    signal,
  });
  neighbourCapacities.set(key, capacityRps);
  return capacityRps;
}
