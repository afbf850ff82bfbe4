import { ModelError } from '../../errors.ts';
import { openFileRunner } from '../runner.ts';
import type { ResolvedModel } from '../types.ts';
import { type Prediction, predict } from './accuracy.ts';
import type { SampleSource } from './sample-source.ts';

const BATCH = 50;

/**
 * A model's prediction for each sample of a source, in its order, from onnxruntime as the model is served: all optimisations, one thread.
 *
 * @throws ModelError if the samples do not fit the model's input, or its first output is no list of scores
 */
export async function predictAll(model: ResolvedModel, source: SampleSource): Promise<Prediction[]> {
  const { inputs, file } = model;
  const { labels, feed } = source;
  const count = labels.length;
  const fixed = inputs[0]?.shape[0];
  const batch = typeof fixed === 'number' ? fixed : Math.min(BATCH, count);
  await using runner = await openFileRunner(file);
  const predictions: Prediction[] = [];
  for (let first = 0; first < count; first += batch) {
    const items = Math.min(batch, count - first);
    // A model of fixed batch gets the last sample again at the end; its answers are not counted twice.
    const fed = typeof fixed === 'number' ? batch : items;
    const input = await feed(Array.from({ length: fed }, (_, item) => Math.min(count - 1, first + item)));
    const [output] = (await runner.run([input])).values();
    const scores = output?.data;
    const classes = (output?.data.length ?? 0) / fed;
    if (!(scores instanceof Float32Array) || output?.shape[0] !== fed || !Number.isInteger(classes)) {
      throw new ModelError({
        where: file,
        what: `the output "${output?.name ?? ''}" (${output?.type ?? 'none'} [${output?.shape.join(', ') ?? ''}]) is no list of scores`,
        hint: 'Accuracy needs a first output of float32 scores [batch, classes].',
      });
    }
    for (let item = 0; item < items; item++) {
      const label = labels[first + item] ?? 0;
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
