/** Whether a softmax was done inside the model: nothing negative, and a sum of 1 up to rounding. */
export function areProbabilities(scores: ArrayLike<number>): boolean {
  let sum = 0;
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index] ?? Number.NaN;
    if (!(score >= 0)) return false;
    sum += score;
  }
  return Math.abs(sum - 1) < 1e-3;
}
