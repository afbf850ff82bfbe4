import type { Results } from '../store/index.ts';

/** Whether a level of the factor `model` stands for a model whose weights were drawn from a seed. */
export function isSyntheticModel(level: string, results: readonly Results[]): boolean {
  return results.some(({ manifest: { models, spec } }) => {
    const levels = [...(spec.factors.model ?? []), ...(spec.fixed.model === undefined ? [] : [spec.fixed.model])];
    // A level may give a name of its own to a model: { name: mine, model: models/a.onnx }.
    const named = levels.find(({ name }) => name === level)?.value;
    return models.some(({ name, isSynthetic }) => isSynthetic && (name === level || name === named));
  });
}

/** Names of all models with synthetic weights, in the order they were served. */
export function syntheticModels(results: readonly Results[]): readonly string[] {
  const models = results.flatMap(({ manifest }) => manifest.models);
  return [...new Set(models.filter(({ isSynthetic }) => isSynthetic).map(({ name }) => name))];
}
