import { createRng, deriveSeed } from '../rng.ts';

/** Sum of four 16-bit uniforms: its mean, and its standard deviation sqrt(4 * (2^32 - 1) / 12). */
const SUM_MEAN = 2 * 0xffff;
const SUM_SD = Math.sqrt((2 ** 32 - 1) / 3);

/**
 * Seeded weights with the given mean and standard deviation, roughly normal, never beyond 3.5 standard deviations.
 *
 * Each is a sum of four uniform integers (Irwin-Hall), so that nothing but exact integer arithmetic and one rounding stands behind it: the bytes, and so the digest of a
 * built model, are the same on every machine and Node version, which logarithms and cosines do not promise. The stream depends on the tensor's name, not on the order of building.
 */
export function drawWeights(seed: number, tensorName: string, count: number, mean: number, sd: number): Float32Array {
  const rng = createRng(deriveSeed(seed, 'weights', tensorName));
  const weights = new Float32Array(count);
  const scale = sd / SUM_SD;
  for (let index = 0; index < count; index++) {
    const sum = rng.integer(0, 0xffff) + rng.integer(0, 0xffff) + rng.integer(0, 0xffff) + rng.integer(0, 0xffff);
    weights[index] = mean + (sum - SUM_MEAN) * scale;
  }
  return weights;
}
