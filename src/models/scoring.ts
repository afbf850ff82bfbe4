import { ModelError } from '../errors.ts';
import { fromFloat16Bits } from '../float16.ts';
import type { NamedTensor } from './types.ts';

/**
 * How many items have their label among their `k` highest scores.
 *
 * Of equal scores the one with the lower index ranks first. A score that is not a number never counts as right, and never ranks above one that is.
 * @param output - scores [batch, classes]; further dimensions of size 1 are allowed
 * @param labels - the right class of each item
 * @throws ModelError if the output does not hold scores for these labels
 */
export function countCorrect(output: NamedTensor, labels: readonly number[], k: number): number {
  const [batch = 0, classes = 0, ...rest] = output.shape;
  const scores = readScores(output);
  if (
    scores === undefined ||
    batch !== labels.length ||
    rest.some((size) => size !== 1) ||
    scores.length !== batch * classes
  ) {
    throw mismatch(output, `is no list of scores for ${labels.length} labelled items`);
  }
  return labels.filter((label, item) => {
    if (label >= classes) throw mismatch(output, `has no class ${label}`);
    return rankOf(label, scores, item * classes, classes) < k;
  }).length;
}

/** Scores above the label's own: higher ones, and equal ones before it. */
function rankOf(label: number, scores: ArrayLike<number | bigint>, first: number, classes: number): number {
  const own = scores[first + label] ?? Number.NaN;
  if (Number.isNaN(own)) return Number.POSITIVE_INFINITY;
  let rank = 0;
  for (let index = 0; index < classes; index++) {
    const other = scores[first + index] ?? Number.NaN;
    if (other > own || (other === own && index < label)) rank++;
  }
  return rank;
}

/** Scores as numbers; undefined where the tensor holds text. */
export function readScores({ type, data }: NamedTensor): ArrayLike<number | bigint> | undefined {
  if (Array.isArray(data)) return undefined;
  return type === 'float16' ? [...data].map((bits) => fromFloat16Bits(Number(bits))) : data;
}

function mismatch({ name, type, shape }: NamedTensor, what: string): ModelError {
  return new ModelError({
    what: `the output "${name}" (${type} [${shape.join(', ')}]) ${what}`,
    hint: 'Accuracy needs an output of scores [batch, classes], and labels that count the classes from 0.',
  });
}
