import { ModelError } from '../errors.ts';
import { type ModelProfile, profileModel } from '../models/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { Store } from '../store/index.ts';
import type { RunContext } from './context.ts';

/**
 * What each model does with nothing around it on this machine; measured once for each file, machine and result folder, and kept there.
 *
 * @returns by `profileKey`
 */
export async function findModelProfiles(
  store: Store,
  models: Iterable<ResolvedModel>,
  host: string,
  emit: RunContext['emit'],
): Promise<ReadonlyMap<string, ModelProfile>> {
  const profiles = new Map<string, ModelProfile>();
  for (const model of models) {
    const key = profileKey(model);
    if (profiles.has(key)) continue;
    try {
      profiles.set(key, store.modelProfile(host, key) ?? (await measure(store, model, host)));
    } catch (error) {
      // Another server may run what onnxruntime on this machine does not; the two columns are then empty.
      if (!(error instanceof ModelError)) throw error;
      emit({
        type: 'notice',
        notice: { what: `${model.name}, variant ${model.variant}, has no bare figures: ${error.message}`, hint: '' },
      });
    }
  }
  return profiles;
}

async function measure(store: Store, model: ResolvedModel, host: string): Promise<ModelProfile> {
  const startedAt = new Date().toISOString();
  const profile = await profileModel(model);
  await store.append({ kind: 'model-profile', host, startedAt, model: profileKey(model), ...profile });
  return profile;
}

/** The file's digest, and the sizes of its open dimensions where it has any. */
export function profileKey({ digest, dims }: Pick<ResolvedModel, 'digest' | 'dims'>): string {
  const sizes = Object.entries(dims).map(([name, size]) => `${name}=${size}`);
  return [digest, ...sizes].join(' ');
}
