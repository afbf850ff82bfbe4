import type { OnnxModel } from '../onnx-file.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { rankByActivation } from './activation.ts';
import { checkedPlan, type FilterPlanner, planFilters } from './filters.ts';

/** What says which filters matter: what the layers behind them lose on samples, or the size of their weights. */
export type Criterion = 'activation' | 'norm';

/**
 * Plans for a model that `normalize` has prepared, by activation where that is asked and there are real samples and no layer is too large for it, else by norm.
 *
 * @throws ModelError, when a plan is asked for, if it would remove nothing
 */
export async function planner(
  model: OnnxModel,
  set: CalibrationSet,
  asked: Criterion,
  where: string,
): Promise<{ readonly by: Criterion; readonly plan: FilterPlanner }> {
  const ranked = asked === 'norm' || set.isRandom ? undefined : await rankByActivation(model, set, where);
  return ranked === undefined
    ? { by: 'norm', plan: (share) => planFilters(model, share, where) }
    : { by: 'activation', plan: (share) => checkedPlan(ranked(share), share, where) };
}
