import { ModelError } from '../../errors.ts';
import { openFileRunner } from '../runner.ts';
import type { ResolvedModel } from '../types.ts';
import { type Prediction, predict } from './accuracy.ts';
import type { LabelledSet } from './labelled-set.ts';

const BATCH = 50;

/** What the tensor of a sample is made by: value * scale + offset. */
export interface SampleScaling {
  readonly scale: number;
  readonly offset: number;
}

/**
 * A model's prediction for each sample of a set, in its order, from onnxruntime as the model is served: all optimisations, one thread.
 *
 * @throws ModelError if the samples do not fit the model's input, or its first output is no list of scores
 */
export async function predictAll(
  model: ResolvedModel,
  set: LabelledSet,
  { scale, offset }: SampleScaling,
): Promise<Prediction[]> {
  const { inputs, file } = model;
  const [input] = inputs;
  const rest = input?.shape.slice(1) ?? [];
  const size = rest.reduce<number>((product, length) => product * (typeof length === 'number' ? length : 1), 1);
  if (input === undefined || inputs.length > 1 || input.type !== 'float32' || size !== set.size) {
    throw new ModelError({
      where: file,
      what: `samples of "${set.name}" have ${set.size} elements, which do not fit the model's inputs`,
      hint: 'Evaluation needs a model with one float32 input of as many elements as a sample has.',
    });
  }
  const batch = typeof input.shape[0] === 'number' ? input.shape[0] : BATCH;
  await using runner = await openFileRunner(file);
  const predictions: Prediction[] = [];
  for (let first = 0; first < set.count; first += batch) {
    // A model of fixed batch gets the last samples again at the end; their answers are not counted twice.
    const count = typeof input.shape[0] === 'number' ? batch : Math.min(batch, set.count - first);
    const data = Float32Array.from({ length: count * size }, (_, index) => {
      const sample = Math.min(set.count - 1, first + Math.floor(index / size));
      return (set.values[sample * size + (index % size)] ?? 0) * scale + offset;
    });
    const shape = [count, ...rest.map((length) => (typeof length === 'number' ? length : 1))];
    const [output] = (await runner.run([{ name: input.name, type: 'float32', shape, data }])).values();
    const scores = output?.data;
    const classes = (output?.data.length ?? 0) / count;
    if (!(scores instanceof Float32Array) || output?.shape[0] !== count || !Number.isInteger(classes)) {
      throw new ModelError({
        where: file,
        what: `the output "${output?.name ?? ''}" (${output?.type ?? 'none'} [${output?.shape.join(', ') ?? ''}]) is no list of scores`,
        hint: 'Accuracy needs a first output of float32 scores [batch, classes].',
      });
    }
    for (let item = 0; item < Math.min(count, set.count - first); item++) {
      const label = set.labels[first + item] ?? 0;
      if (label >= classes) {
        throw new ModelError({
          where: file,
          what: `the set has the label ${label}, and the model has ${classes} classes`,
          hint: 'Labels count the classes of the model from 0.',
        });
      }
      predictions.push(predict(scores.subarray(item * classes, (item + 1) * classes), label));
    }
  }
  return predictions;
}
