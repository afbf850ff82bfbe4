import { ModelError } from '../../errors.ts';
import type { OnnxModel } from '../onnx-file.ts';
import { openRunner } from '../runner.ts';
import type { NamedTensor } from '../types.ts';
import { type CalibrationMethod, chooseRange, Histogram, type Range } from './ranges.ts';

/** Inputs that calibration runs through the model, and where they are from. */
export interface CalibrationSet {
  /** e.g. "mnist-calibration-500", or "seeded random numbers". */
  readonly name: string;
  /** SHA-256 of what the inputs are made from, hex. */
  readonly digest: string;
  readonly items: number;
  /** True where the inputs are made up: ranges found on them are right for timing and not for answers. */
  readonly isRandom: boolean;
  readonly batches: readonly (readonly NamedTensor[])[];
}

/**
 * The range of each watched value over the calibration set, 0 included.
 *
 * Two passes where the method needs a histogram: one for its ends, one to fill it. Holds one batch of all watched values in memory at a time.
 * @throws ModelError if a value is not float32, or is not a number somewhere
 */
export async function calibrate(
  model: OnnxModel,
  where: string,
  watched: readonly string[],
  set: CalibrationSet,
  method: CalibrationMethod,
): Promise<ReadonlyMap<string, Range>> {
  await using runner = await openRunner(model, where, watched);
  const ends = new Map(watched.map((name) => [name, { min: 0, max: 0 }]));
  for (const batch of set.batches) {
    const values = await runner.run(batch);
    for (const [name, range] of ends) widen(range, elementsOf(name, values, batch), name, where);
  }
  if (method === 'minmax') return ends;
  const histograms = new Map([...ends].map(([name, range]) => [name, new Histogram(range)]));
  for (const batch of set.batches) {
    const values = await runner.run(batch);
    for (const [name, histogram] of histograms) histogram.add(elementsOf(name, values, batch));
  }
  return new Map([...histograms].map(([name, histogram]) => [name, chooseRange(histogram, method)]));
}

/** Values of the graph come from the run; its inputs are what was fed. */
function elementsOf(name: string, values: ReadonlyMap<string, NamedTensor>, batch: readonly NamedTensor[]) {
  const tensor = values.get(name) ?? batch.find((input) => input.name === name);
  if (!(tensor?.data instanceof Float32Array)) {
    throw new ModelError({
      what: `the value "${name}" is ${tensor?.type ?? 'not there'} and not float32, so it cannot be calibrated`,
      hint: 'Quantise the float32 form of the model.',
    });
  }
  return tensor.data;
}

function widen(range: { min: number; max: number }, elements: Float32Array, name: string, where: string): void {
  let { min, max } = range;
  for (const element of elements) {
    if (element < min) min = element;
    else if (element > max) max = element;
    else if (!(element - element === 0)) throw notFinite(name, where);
  }
  if (!Number.isFinite(min) || !Number.isFinite(max)) throw notFinite(name, where);
  range.min = min;
  range.max = max;
}

function notFinite(name: string, where: string): ModelError {
  return new ModelError({
    where,
    what: `the value "${name}" is not a finite number for some calibration inputs`,
    hint: 'Calibrate with inputs as the model was trained on: the same scale, offset and order of dimensions.',
  });
}
