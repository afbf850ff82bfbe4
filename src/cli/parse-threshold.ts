import type { ComparedResponse } from '../analysis/index.ts';
import { UsageError } from '../errors.ts';

/**
 * The smallest change of a response that matters: `response=10%` as a share of the base, `response=0.01` in its unit.
 *
 * @throws UsageError quoting the text where it is neither
 */
export function parseThreshold(text: string): readonly [response: string, margin: ComparedResponse['margin']] {
  const match = /^\s*([A-Za-z_]\w*)\s*=\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(%?)\s*$/i.exec(text);
  const [, response = '', number, percent] = match ?? [];
  const value = Number(number);
  if (match === null || !(value > 0)) {
    throw new UsageError({
      where: '--threshold',
      what: `"${text}" is not a threshold`,
      hint: 'Write response=share or response=amount, above 0, e.g. latency_p99_ms=10% or accuracy_top1=0.01.',
    });
  }
  return [response, percent === '%' ? { kind: 'share', value: value / 100 } : { kind: 'amount', value }];
}
