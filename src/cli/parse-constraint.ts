import type { Constraint } from '../analysis/index.ts';
import { UsageError } from '../errors.ts';
import { limitLoss } from '../spec/index.ts';

const LOSS = /^\s*([A-Za-z_]\w*)\.loss\s*<=\s*(\d+(?:\.\d+)?)\s*%\s*$/;

/**
 * A gate as the command line has it: `response<=number`, `response>=number`, or `response.loss<=percent%` against the base variant.
 *
 * @throws UsageError quoting the text where it is not one
 */
export function parseConstraint(text: string): Constraint {
  const [, lossOf, percent] = LOSS.exec(text) ?? [];
  if (lossOf !== undefined) return limitLoss(lossOf, Number(percent) / 100);
  const match = /^\s*([A-Za-z_]\w*)\s*(<=|>=)\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*$/i.exec(text);
  if (match === null) {
    throw new UsageError({
      where: '--where',
      what: `"${text}" is not a constraint`,
      hint: "Write response, <= or >=, and a number, e.g. 'latency_p99_ms<=50'; or what may be lost against variant=fp32, e.g. 'accuracy_top1.loss<=1%'.",
    });
  }
  const [, response = '', relation, limit] = match;
  return { response, relation: relation as Constraint['relation'], limit: Number(limit) };
}
