import type { OnnxModel } from '../onnx-file.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { openRunner } from '../runner.ts';
import type { Channels } from './channels.ts';
import { removeFilters } from './filters.ts';
import { refit } from './refit.ts';

/** What a model's outputs lose when channels go and the layers that read them are refitted: their squared error on samples, as a share of their variance. */
export type OutputLoss = (removed: ReadonlySet<number>) => Promise<number>;

/** @throws ModelError if onnxruntime refuses the model */
export async function openOutputLoss(
  model: OnnxModel,
  channels: Channels,
  set: CalibrationSet,
  where: string,
): Promise<OutputLoss> {
  const expected = await outputsOf(model, set, where);
  const variance = varianceOf(expected) || 1;
  return async (removed) => {
    const cut = structuredClone(model);
    removeFilters(cut, { channels, removed }, where);
    await refit(model, cut, { channels, removed }, set, where, 'readers');
    const found = (await outputsOf(cut, set, where)).flat();
    return expected.flat().reduce((sum, row, index) => sum + squaredDistance(row, found[index] ?? []), 0) / variance;
  };
}

/** Outputs of the model one after the other, each item's elements a row. */
export async function outputsOf(model: OnnxModel, set: CalibrationSet, where: string): Promise<number[][][]> {
  await using runner = await openRunner(model, where);
  const rows = new Map<string, number[][]>();
  for (const batch of set.batches) {
    for (const [name, { shape, data }] of await runner.run(batch)) {
      const [items = 1] = shape;
      const size = data.length / items;
      const own = Array.from({ length: items }, (_, item) =>
        Array.from({ length: size }, (_, at) => Number(data[item * size + at])),
      );
      rows.set(name, [...(rows.get(name) ?? []), ...own]);
    }
  }
  return [...rows.values()];
}

/** Squared distances from the mean row of each output. */
export function varianceOf(outputs: readonly number[][][]): number {
  return outputs.reduce((total, rows) => {
    const mean = (rows[0] ?? []).map((_, at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0) / rows.length);
    return total + rows.reduce((sum, row) => sum + squaredDistance(row, mean), 0);
  }, 0);
}

export function squaredDistance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + (value - (b[index] ?? 0)) ** 2, 0);
}
