import { areProbabilities } from '../probabilities.ts';

/** What a model answered to one labelled sample. */
export interface Prediction {
  readonly label: number;
  /** Classes with scores above the label's: 0 where the answer is right. Infinite where a score is not a number. */
  readonly rank: number;
  readonly answer: number;
  /** Probability the model gives its answer: its share of the softmax, or the score itself where the scores are probabilities already. */
  readonly confidence: number;
}

export interface Accuracy {
  readonly samples: number;
  readonly top1: number;
  readonly top5: number;
  /** 95 % Wilson interval of top1. */
  readonly top1Interval: readonly [low: number, high: number];
  readonly perClass: readonly { readonly label: number; readonly samples: number; readonly top1: number }[];
  /** Expected calibration error over 15 bins of equal width: how far confidence and accuracy lie apart, weighted by samples. */
  readonly calibrationError: number;
}

/** How much better one model is than another on the same samples. */
export interface PairedDifference {
  /** Difference of top-1 accuracies, -1 to 1. */
  readonly difference: number;
  readonly interval: readonly [low: number, high: number];
  /** Samples that only the model gets right, and that only the base does. */
  readonly gained: number;
  readonly lost: number;
}

const Z95 = 1.959964;
const BINS = 15;

/** The prediction from a row of scores; of equal scores the first wins. */
export function predict(scores: ArrayLike<number>, label: number): Prediction {
  let answer = 0;
  for (let index = 1; index < scores.length; index++) {
    const score = scores[index] ?? Number.NaN;
    if (score > (scores[answer] ?? Number.NaN) || Number.isNaN(scores[answer])) answer = index;
  }
  const own = scores[label] ?? Number.NaN;
  let rank = Number.isNaN(own) ? Number.POSITIVE_INFINITY : 0;
  let total = 0;
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index] ?? Number.NaN;
    if (score > own || (score === own && index < label)) rank++;
    if (!Number.isNaN(score)) total += Math.exp(score - (scores[answer] ?? 0));
  }
  return { label, rank, answer, confidence: areProbabilities(scores) ? (scores[answer] ?? 0) : 1 / total };
}

/** Source: Wilson (1927) for the interval; Guo et al., arXiv 1706.04599, for the calibration error. */
export function summarizeAccuracy(predictions: readonly Prediction[]): Accuracy {
  const samples = predictions.length;
  const share = (k: number, of: readonly Prediction[]) => of.filter(({ rank }) => rank < k).length / of.length;
  const top1 = share(1, predictions);
  const labels = [...new Set(predictions.map(({ label }) => label))].sort((a, b) => a - b);
  return {
    samples,
    top1,
    top5: share(5, predictions),
    top1Interval: wilson(top1, samples),
    perClass: labels.map((label) => {
      const own = predictions.filter((prediction) => prediction.label === label);
      return { label, samples: own.length, top1: share(1, own) };
    }),
    calibrationError: calibrationError(predictions),
  };
}

function wilson(share: number, samples: number): readonly [number, number] {
  const spread = Z95 ** 2 / samples;
  const middle = (share + spread / 2) / (1 + spread);
  const half = (Z95 * Math.sqrt((share * (1 - share)) / samples + spread / (4 * samples))) / (1 + spread);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function calibrationError(predictions: readonly Prediction[]): number {
  const bins = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0 }));
  for (const { confidence, rank } of predictions) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))];
    if (bin === undefined) continue;
    bin.confidence += confidence;
    bin.right += rank === 0 ? 1 : 0;
  }
  return bins.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0) / predictions.length;
}

/**
 * The paired difference in top-1 accuracy, with a 95 % interval from the samples on which the two disagree.
 *
 * With b gained, c lost and n samples: estimate (b - c) / n; the interval is Wald's with half a count added to each of the four cells, which covers well also where few disagree.
 * Source: Agresti and Min, Statistics in Medicine 24 (2005), 729-740, "simple improved confidence intervals for comparing matched proportions".
 * @param base - predictions of the base for the same samples in the same order
 */
export function pairedDifference(model: readonly Prediction[], base: readonly Prediction[]): PairedDifference {
  const isRight = (prediction: Prediction | undefined) => prediction?.rank === 0;
  const gained = model.filter((prediction, index) => isRight(prediction) && !isRight(base[index])).length;
  const lost = model.filter((prediction, index) => !isRight(prediction) && isRight(base[index])).length;
  const n = model.length + 2;
  const middle = (gained - lost) / n;
  const half = (Z95 * Math.sqrt(gained + lost + 1 - (gained - lost) ** 2 / n)) / n;
  return { difference: (gained - lost) / model.length, interval: [middle - half, middle + half], gained, lost };
}
