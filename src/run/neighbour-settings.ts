import type { Limits } from '../launch/types.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ModelSettings, ServerSettings } from '../server/types.ts';
import { neighboursOf } from '../spec/index.ts';
import type { Level, Neighbour } from '../spec/types.ts';
import type { InferenceTarget } from './configuration-settings.ts';
import { neighbourModelOf } from './resolve-models.ts';

/** Whether a combination of levels has its neighbours' models served by the server under test. */
export function isTogether(levels: Readonly<Record<string, Level>>): boolean {
  return levels.placement?.value === 'together';
}

/** What the server under test is told of its neighbours' models: all of them where they are placed together, else nothing. */
export function neighboursInside(
  levels: Readonly<Record<string, Level>>,
  models: ReadonlyMap<string, ResolvedModel>,
): readonly ModelSettings[] {
  if (!isTogether(levels)) return [];
  return neighboursOf(levels.colocated).map((neighbour) =>
    modelSettingsOf(neighbour, neighbourModelOf(neighbour, models)),
  );
}

/** What a neighbour's own server is told. */
export function neighbourSettingsOf(neighbour: Neighbour, model: ResolvedModel): ServerSettings {
  return { models: [modelSettingsOf(neighbour, model)], host: '127.0.0.1', port: 0, exitOnStdinEnd: true };
}

/** The limits of a neighbour's own server. @param server - those of the server under test, whose CPUs it shares unless it has a set of its own */
export function neighbourLimitsOf({ cpus, cpuset, memoryBytes }: Neighbour, server: Limits): Limits {
  const set = cpuset ?? server.cpuset;
  return {
    ...(set === undefined ? {} : { cpuset: set }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** Where a neighbour's requests go and what they carry. */
export function neighbourTargetOf(
  neighbour: Neighbour,
  { inputs, dims, dataset }: ResolvedModel,
  url: string,
  seed: number,
): InferenceTarget {
  const { batch } = neighbour;
  return {
    kind: 'kserve',
    url,
    modelName: servedName(neighbour),
    protocol: 'rest-binary',
    batch,
    inputs,
    dims,
    dataset,
    seed,
  };
}

/** How a neighbour's model is served, wherever that is. */
export function modelSettingsOf(neighbour: Neighbour, { file }: ResolvedModel): ModelSettings {
  return {
    name: servedName(neighbour),
    file,
    engine: {
      intraOpThreads: neighbour.threads,
      interOpThreads: 1,
      executionMode: 'sequential',
      graphOptimization: 'all',
      spinning: false,
    },
  };
}

/** Not the model's own name: the server under test may serve the same model. */
function servedName({ name }: Neighbour): string {
  return `neighbour-${name}`;
}
