import { z } from 'zod';

/**
 * Names of variants: number formats, a percentage of filters or weights removed before one, and before both a variant that was trained.
 *
 * Only the form is checked here. Whether the variant can be made of the model is for `models/` to say, before anything starts.
 */
const REMOVAL = '(pruned-[1-9]\\d?(-norm)?|sparse-[1-9]\\d?)';
const NUMBER_FORMAT = 'fp16|int8-dynamic|int8-static(-(minmax|percentile|entropy))?';
const TRAINED = '(distilled|pruned-[1-9]\\d?-finetuned)';
const VARIANT = new RegExp(`^(fp32|${TRAINED}|(${TRAINED}\\+)?(${REMOVAL}\\+)*(${REMOVAL}|${NUMBER_FORMAT}))$`);
const VARIANT_ERROR =
  'a variant that this version can make: fp32, fp16, int8-static, int8-dynamic, pruned-30, sparse-50, or such as pruned-30+int8-static; for models that ship with them: distilled, pruned-50-finetuned';

/** The model as it is, which every other variant is made from or measured against. */
export const BASE_VARIANT = 'fp32';

/** The name of a variant. */
export function variantName() {
  return z.string({ error: VARIANT_ERROR }).regex(VARIANT, { error: VARIANT_ERROR });
}
