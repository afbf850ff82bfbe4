import type { Constraint } from '../analysis/index.ts';
import { UsageError } from '../errors.ts';

/**
 * A gate as the command line has it: `response<=number` or `response>=number`.
 *
 * @throws UsageError quoting the text where it is not one
 */
export function parseConstraint(text: string): Constraint {
  const match = /^\s*([A-Za-z_]\w*)\s*(<=|>=)\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*$/i.exec(text);
  if (match === null) {
    throw new UsageError({
      where: '--where',
      what: `"${text}" is not a constraint`,
      hint: "Write response, <= or >=, and a number, e.g. 'latency_p99_ms<=50'.",
    });
  }
  const [, response = '', relation, limit] = match;
  return { response, relation: relation as Constraint['relation'], limit: Number(limit) };
}
