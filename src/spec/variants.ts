import { z } from 'zod';

/**
 * Names of variants: number formats, and a percentage of filters or weights removed before one.
 *
 * Only the form is checked here. Whether the variant can be made of the model is for `models/` to say, before anything starts.
 */
const REMOVAL = '(pruned|sparse)-[1-9]\\d?';
const NUMBER_FORMAT = 'fp16|int8-dynamic|int8-static(-(minmax|percentile|entropy))?';
const VARIANT = new RegExp(`^(fp32|(${REMOVAL}\\+)*(${REMOVAL}|${NUMBER_FORMAT}))$`);
const VARIANT_ERROR =
  'a variant that this version can make: fp32, fp16, int8-static, int8-dynamic, pruned-30, sparse-50, or such as pruned-30+int8-static';

/** The name of a variant. */
export function variantName() {
  return z.string({ error: VARIANT_ERROR }).regex(VARIANT, { error: VARIANT_ERROR });
}
