/** How a response is analysed: `log` where differences are ratios, `linear` otherwise. */
export type ResponseScale = 'log' | 'linear';

/** Times, energies and rates: what a factor does to these is to multiply them. */
const MULTIPLICATIVE = /latency|_(ns|us|ms|s|j|js|rps|ips)$/;

/**
 * The scale on which effects on a response add up: logarithmic for times, energies and rates whose values are all above 0, linear for the rest.
 *
 * @param name - a column name with its unit at the end
 * @param values - NaN where empty
 */
export function chooseScale(name: string, values: Float64Array): ResponseScale {
  if (!MULTIPLICATIVE.test(name)) return 'linear';
  return values.some((value) => value <= 0) ? 'linear' : 'log';
}
