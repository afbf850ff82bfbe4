import type { PlannedTrial } from '../design/types.ts';
import { neighboursOf } from '../spec/index.ts';
import type { Scalar } from '../spec/types.ts';
import { type TrialDefinition, trialKey } from '../store/index.ts';
import { arrivalSeedOf, limitsOf, loadOf } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import { isGeneratorShared } from './neighbour-cpus.ts';
import { modelOf, neighbourModelOf } from './resolve-models.ts';
import { isBehindGateway } from './start-gateway.ts';
import type { TrialIdentity } from './trial.ts';

/** What a trial's identity depends on beside the trial itself. */
type Setting = Pick<RunContext, 'spec' | 'models' | 'cpus'>;

/** Everything that defines a trial; equal definitions are the same trial in every run and on every machine. */
function definitionOf(trial: PlannedTrial, { spec, models, cpus }: Setting): TrialDefinition {
  const { cpuset: serverCpuset } = limitsOf(trial.levels, cpus.server);
  const model = modelOf(trial, models);
  const neighbours = neighboursOf(trial.levels.colocated);
  return {
    levels: trial.levels,
    load: loadOf(trial.levels, spec),
    measure: spec.measure,
    energy: spec.energy,
    modelDigest: model.digest,
    ...(trial.levels.protocol?.value === 'image' && model.image !== undefined && { image: model.image }),
    engine: spec.server.engine,
    ...(spec.server.container === undefined ? {} : { container: spec.server.container }),
    ...(spec.server.description === undefined ? {} : { server: spec.server.description }),
    ...(spec.server.url === undefined ? {} : { url: spec.server.url }),
    ...(serverCpuset === undefined ? {} : { serverCpuset }),
    ...(cpus.generator === undefined ? {} : { generatorCpuset: cpus.generator }),
    ...(isBehindGateway(trial.levels) && spec.server.gatewayCpuset !== undefined
      ? { gatewayCpuset: spec.server.gatewayCpuset }
      : {}),
    ...(neighbours.length === 0
      ? {}
      : {
          neighbours: {
            modelDigests: neighbours.map((neighbour) => neighbourModelOf(neighbour, models).digest),
            ...(cpus.neighbourGenerators === undefined ? {} : { generatorCpuset: cpus.neighbourGenerators }),
            ...(isGeneratorShared(cpus) ? { sharesGenerator: true } : {}),
          },
        }),
    connections: spec.generator.connections,
    ...(spec.generator.spin === undefined ? {} : { spin: spec.generator.spin }),
    ...(spec.generator.popularity === undefined ? {} : { popularity: spec.generator.popularity }),
    ...(spec.generator.inputs === undefined ? {} : { inputs: spec.generator.inputs }),
    seed: arrivalSeedOf(trial, spec),
    replicate: trial.replicate,
  };
}

/** Id of a trial: a hash of everything that defines it. */
export function trialIdOf(trial: PlannedTrial, setting: Setting): string {
  return trialKey(definitionOf(trial, setting));
}

/** What a trial is called in the journal, for the attempt that is about to start. */
export function identify(trial: PlannedTrial, context: RunContext): TrialIdentity {
  const { spec, store } = context;
  const trialId = trialIdOf(trial, context);
  return {
    kind: 'trial',
    trialId,
    pointId: trial.pointId,
    replicate: trial.replicate,
    block: trial.block,
    runOrder: trial.runOrder,
    attempt: store.attempts(trialId) + 1,
    factors: factorsOf(trial),
    host: context.host,
    engine: spec.server.engine,
  };
}

/** Level names by factor. */
function factorsOf(trial: PlannedTrial): Readonly<Record<string, Scalar>> {
  return Object.fromEntries(Object.entries(trial.levels).map(([factor, level]) => [factor, level.name]));
}
