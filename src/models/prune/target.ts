import { ModelError } from '../../errors.ts';
import { countCost } from '../cost.ts';
import type { OnnxModel } from '../onnx-file.ts';
import { type FilterPlanner, removeFilters } from './filters.ts';

/** The variants' names know whole percents up to this. */
const MOST = 99;

/**
 * The smallest whole percentage of filters whose removal leaves at most the given share of the model's multiply-adds.
 *
 * Found by bisection: more filters removed are never more multiply-adds.
 * @param model - as `normalize` has prepared it
 * @param share - above 0 and below 1
 * @throws ModelError if the multiply-adds are not known, or even removing the most leaves more
 */
export function percentForShare(model: OnnxModel, plan: FilterPlanner, share: number, where: string): number {
  const whole = countCost(model, where).macs;
  if (whole === undefined) {
    throw new ModelError({
      where,
      what: 'the multiply-adds of the model are not known',
      hint: 'Give the share of filters to remove instead: --percent.',
    });
  }
  const shareAfter = (percent: number): number => {
    const pruned = structuredClone(model);
    removeFilters(pruned, plan(percent / 100), where);
    return (countCost(pruned, where).macs ?? Number.NaN) / whole;
  };
  const least = shareAfter(MOST);
  if (!(least <= share)) {
    throw new ModelError({
      where,
      what: `${(100 * share).toFixed(0)} % of the multiply-adds cannot be reached: with ${MOST} % of the filters gone, ${(100 * least).toFixed(1)} % are left`,
      hint: 'Filters whose channels reach an output must stay, and every layer keeps a block of them.',
    });
  }
  let [tooFew, enough] = [0, MOST];
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;

  // So few that none goes is a refusal of the plan, and not enough.
  function isEnough(percent: number): boolean {
    try {
      return shareAfter(percent) <= share;
    } catch (error) {
      if (error instanceof ModelError) return false;
      throw error;
    }
  }
}
