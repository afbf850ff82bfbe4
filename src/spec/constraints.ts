import { z } from 'zod';
import type { Constraint } from './types.ts';
import { percentAboveZero, text } from './values.ts';

const LIMITS = 'limits of a response, e.g. { max: 50 }, { min: 0.9 } or { max_loss: 1% }';

const limitsSchema = z
  .strictObject(
    {
      min: z.number({ error: 'a number in the unit of the response, e.g. 0.9' }).describe('Least mean.').optional(),
      max: z.number({ error: 'a number in the unit of the response, e.g. 50' }).describe('Greatest mean.').optional(),
      max_loss: percentAboveZero('1%')
        .describe(
          'Most that may be lost against the same configuration at variant fp32, as a share of its value: with 1%, a base of 0.98 allows 0.9702. Of a response of which less is better, how much more it may be.',
        )
        .optional(),
    },
    { error: LIMITS },
  )
  .refine((limits) => Object.values(limits).some((limit) => limit !== undefined), { error: LIMITS });

/** Responses and their limits -> one gate for each limit, in the order written. */
export const constraintsSchema = z
  .record(text('a response'), limitsSchema, {
    error: 'responses and their limits, e.g. { accuracy_top1: { max_loss: 1% } }',
  })
  .transform((byResponse) =>
    Object.entries(byResponse).flatMap(([response, { min, max, max_loss }]): Constraint[] => [
      ...(min === undefined ? [] : [{ response, relation: '>=', limit: min } as const]),
      ...(max === undefined ? [] : [{ response, relation: '<=', limit: max } as const]),
      ...(max_loss === undefined ? [] : [limitLoss(response, max_loss)]),
    ]),
  );

/** @param share - of the base's value, e.g. 0.01 */
export function limitLoss(response: string, share: number): Constraint {
  return { response: `${response}.loss`, relation: '<=', limit: Number(share.toPrecision(12)), lossOf: response };
}
