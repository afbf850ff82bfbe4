/** The few functions used here; the package ships types but its `exports` do not name them. */
declare module 'cephes' {
  /** Settles when the WebAssembly is compiled; the functions may be called from then on. */
  export const compiled: Promise<void>;
  /** Regularised incomplete beta function I_x(a, b). */
  export function incbet(a: number, b: number, x: number): number;
  /** The x at which I_x(a, b) is p. */
  export function incbi(a: number, b: number, p: number): number;
  /** Natural logarithm of the gamma function. */
  export function lgam(x: number): number;
  /** Standard normal distribution function. */
  export function ndtr(z: number): number;
  /** The z at which the standard normal distribution function is p. */
  export function ndtri(p: number): number;
}
