import { ModelError } from '../../errors.ts';
import { areProbabilities } from '../probabilities.ts';
import { readScores } from '../scoring.ts';
import type { NamedTensor } from '../types.ts';
import type { ClassScore } from './types.ts';

/**
 * The `k` classes with the highest scores, highest first; of equal scores the one with the lower index. A score that is not a number comes last.
 *
 * @param output - scores of one item: [1, classes], further dimensions of size 1 allowed
 * @param labels - names of the classes
 * @throws ModelError if the output does not hold scores of one item, or as many as there are labels
 */
export function topClasses(output: NamedTensor, k: number, labels?: readonly string[]): ClassScore[] {
  const { name, type, shape } = output;
  const [batch, classes = 0, ...rest] = shape;
  const scores = readScores(output);
  if (scores === undefined || batch !== 1 || classes === 0 || rest.some((size) => size !== 1)) {
    const what = `the output "${name}" (${type} [${shape.join(', ')}]) is no list of scores of one image`;
    throw new ModelError({ what, hint: 'Labelled answers need a first output of scores [1, classes].' });
  }
  if (labels !== undefined && labels.length !== classes) {
    const what = `the model gives ${classes} scores, and its description names ${labels.length} classes`;
    throw new ModelError({ what, hint: 'Name every class of the model, in its order.' });
  }
  const values = Array.from(scores, Number);
  const order = [...values.keys()].sort((a, b) => rankable(values[b]) - rankable(values[a]) || a - b);
  const probabilities = areProbabilities(values) ? values : softmax(values);
  return order.slice(0, k).map((index) => ({
    class: index,
    label: labels?.[index],
    score: values[index] as number,
    probability: probabilities[index] as number,
  }));
}

function rankable(score: number | undefined): number {
  return score === undefined || Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
}

function softmax(scores: readonly number[]): number[] {
  const highest = scores.reduce((high, score) => Math.max(high, rankable(score)), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + (Number.isNaN(power) ? 0 : power), 0);
  return powers.map((power) => power / sum);
}
