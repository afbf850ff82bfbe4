import { createDesign, estimateRunS, type PlannedConfiguration, type PlannedTrial } from '../design/index.ts';
import { openMeter } from '../energy/index.ts';
import type { RunEvent } from '../events.ts';
import {
  assignCpus,
  type CpuAssignment,
  createLauncher,
  createRunLabel,
  type Launcher,
  onlineCpus,
} from '../launch/index.ts';
import { createLoadDriver } from '../load/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { openStore } from '../store/index.ts';
import { monotonicNs, NS_PER_S } from '../units.ts';
import { checkLimits } from './check-limits.ts';
import { runConfiguration, type TrialCounts } from './configuration-trials.ts';
import type { RunContext, UntimedEvent } from './context.ts';
import { lockCpus } from './cpu-lock.ts';
import { removeDeadRuns } from './dead-runs.ts';
import { findGeneratorCeiling } from './generator-ceiling.ts';
import { trialIdOf } from './identity.ts';
import { measureIdle } from './idle-state.ts';
import { describeMachine } from './machine.ts';
import { manifestOf } from './manifest.ts';
import { evaluateModels } from './model-accuracy.ts';
import { modelNotices } from './model-notices.ts';
import { findModelProfiles } from './model-profiles.ts';
import { assignNeighbourGenerators, measuredCpuLists } from './neighbour-cpus.ts';
import { checkModelForms, externalNotice, isLocalUrl } from './other-server.ts';
import { modelOf, resolveModels } from './resolve-models.ts';
import { Interrupted } from './waiting.ts';

export interface RunOptions {
  /** The result folder; made where it is missing, gone on with where it holds the same experiment. */
  readonly outDir: string;
  /** Folder that relative model paths start from. */
  readonly baseDir: string;
  /** Where built models are kept between runs. */
  readonly cacheDir: string;
  /** Ends the run cleanly: the trial that is on is given up, everything recorded is kept. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** Where runs tell each other which CPUs they measure on; absent where this one may share its CPUs with another. */
  readonly cpuLockFolder?: string;
  /** Starts the servers; by default that of the spec's engine. */
  readonly launcher?: Launcher;
  /** Place of a part of the spec in its file, for problems found here. */
  readonly locate: (path: readonly (string | number)[]) => string;
}

/** How a run ended. `counts` are of the trials this run measured; those found in the journal are `alreadyDone`. */
export interface RunOutcome {
  readonly outcome: 'complete' | 'interrupted';
  readonly outDir: string;
  readonly alreadyDone: number;
  readonly counts: TrialCounts;
}

/**
 * Runs an experiment: every trial of its design that the result folder does not hold yet.
 *
 * @throws DseError where it cannot run at all; nothing recorded is lost by that. A failed trial is a record and not an error.
 * @throws Interrupted where the user ended it while the engine was made ready, e.g. its image built: the result folder was not looked at by then
 */
export async function runExperiment(spec: ExperimentSpec, options: RunOptions): Promise<RunOutcome> {
  const startNs = monotonicNs();
  const emit = (event: UntimedEvent) => options.onEvent({ atMs: Date.now(), ...event } as RunEvent);
  const signal = interruptedBy(options.signal);

  const isRemote = spec.server.url !== undefined && !(await isLocalUrl(spec.server.url));
  const cpus = assignNeighbourGenerators(onlineCpus(), spec, assignCpusOf(spec, isRemote));
  const launcher = options.launcher ?? createLauncher(spec.server);
  await checkLimits(spec, launcher, cpus.server, options.locate);
  await launcher.prepare?.(signal, (line) => emit({ type: 'notice', notice: { what: line, hint: '' } }));
  const models = await resolveModels(spec, options);
  checkModelForms(spec, models.values());
  const accuracies = await evaluateModels(spec, models.values(), options);
  const machine = await describeMachine();

  await using store = await openStore(options.outDir, manifestOf(spec, models, machine));
  for (const warning of store.warnings) emit({ type: 'warning', warning });
  for (const notice of await removeDeadRuns()) emit({ type: 'notice', notice });

  const design = createDesign(spec);
  let next = design.ask();
  const finished = store.finishedTrialIds();
  const isLeft = (trial: PlannedTrial) => !finished.has(trialIdOf(trial, { spec, models, cpus }));
  const left = next
    .map((configuration) => ({ ...configuration, trials: configuration.trials.filter(isLeft) }))
    .filter(({ trials }) => trials.length > 0);
  const countTrials = (configurations: typeof next) =>
    configurations.reduce((sum, { trials }) => sum + trials.length, 0);
  const alreadyDone = countTrials(next) - countTrials(left);
  await using _lock =
    left.length === 0 || options.cpuLockFolder === undefined
      ? undefined
      : await lockCpus(measuredCpuLists(spec, cpus, onlineCpus()), `results in ${store.outDir}`, options.cpuLockFolder);
  emit({
    type: 'run-started',
    experiment: spec.name,
    outDir: store.outDir,
    trials: design.size,
    alreadyDone,
    estimatedS: estimateRunS(spec, left),
  });

  for (const notice of modelNotices(models.values())) emit({ type: 'notice', notice });

  const { url } = spec.server;
  if (url !== undefined) emit({ type: 'notice', notice: externalNotice(url, !isRemote) });

  const counts = { done: 0, failed: 0, invalid: 0 };
  let outcome: RunOutcome['outcome'] = 'complete';
  try {
    if (left.length > 0) {
      // The meters of this machine know nothing of a server on another.
      await using meter = isRemote ? undefined : await openMeter(spec.energy);
      await using load = await createLoadDriver(cpus.generator === undefined ? {} : { cpuset: cpus.generator });
      const base: Omit<RunContext, 'idle'> = {
        spec,
        design,
        launcher,
        load,
        meter,
        store,
        models,
        cpus,
        host: machine.host,
        profiles: await findModelProfiles(store, url === undefined ? modelsOf(left, models) : [], machine.host, emit),
        accuracies,
        generatorCeilingRps: await findGeneratorCeiling(store, cpus, machine.host),
        neighbourCapacities: new Map(),
        runLabel: createRunLabel(),
        emit,
        signal,
      };
      let context: RunContext | undefined;
      let block: number | undefined;
      for (; next.length > 0; next = design.ask()) {
        for (const configuration of next) {
          if (!configuration.trials.some(isLeft)) continue;
          if (context === undefined || configuration.block !== block) {
            context = { ...base, idle: await measureIdle(configuration.block, base) };
            block = configuration.block;
          }
          await runConfiguration(configuration, context, counts);
        }
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    outcome = 'interrupted';
  }
  emit({ type: 'run-finished', outcome, ...counts, elapsedS: (monotonicNs() - startNs) / NS_PER_S });
  return { outcome, outDir: store.outDir, alreadyDone, counts };
}

/** CPUs of server and generator. A server that dse does not start stays where it is, which on this machine may be anywhere. */
function assignCpusOf({ server, generator }: ExperimentSpec, isRemote: boolean): CpuAssignment {
  const assigned = assignCpus(onlineCpus(), {
    ...(server.cpuset === undefined ? {} : { server: server.cpuset }),
    ...(generator.cpuset === undefined ? {} : { generator: generator.cpuset }),
  });
  return server.url === undefined ? assigned : { ...assigned, server: undefined, isShared: !isRemote };
}

/** The models that what is left to run serves, each once. */
function modelsOf(
  left: readonly PlannedConfiguration[],
  models: ReadonlyMap<string, ResolvedModel>,
): ReadonlySet<ResolvedModel> {
  return new Set(left.map((configuration) => modelOf(configuration, models)));
}

/** A signal that is aborted with `Interrupted` when the given one is. */
function interruptedBy(signal: AbortSignal): AbortSignal {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Interrupted('the run was interrupted'));
  if (signal.aborted) interrupt();
  else signal.addEventListener('abort', interrupt, { once: true });
  return interrupted.signal;
}
