/** The interval that a value is rounded within, always with 0 in it. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export const CALIBRATION_METHODS = ['minmax', 'percentile', 'entropy'] as const;

/**
 * How the range of a value is chosen from what calibration saw of it: all of it; all but the outermost 0.01 % of elements; or the range whose 255 steps keep most of the
 * distribution (least Kullback-Leibler divergence).
 */
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** Bins of a histogram, as in TensorRT's calibration. */
const BINS = 2048;
const LEVELS = 128;
/** Share of elements that the percentile method keeps. */
const KEPT_SHARE = 0.9999;

/** Counts of a value's elements over an interval in equal bins. */
export class Histogram {
  readonly range: Range;
  readonly counts = new Float64Array(BINS);

  constructor(range: Range) {
    this.range = range;
  }

  add(elements: Float32Array): void {
    const { min, max } = this.range;
    const perUnit = BINS / (max - min || 1);
    for (const element of elements) {
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor((element - min) * perUnit)));
      this.counts[bin] = (this.counts[bin] ?? 0) + 1;
    }
  }
}

export function chooseRange(histogram: Histogram, method: CalibrationMethod): Range {
  switch (method) {
    case 'minmax':
      return histogram.range;
    case 'percentile':
      return percentileRange(histogram);
    case 'entropy':
      return entropyRange(histogram);
  }
}

/** Cuts as few elements as possible beyond the kept share; a side that starts at 0 is not cut. */
function percentileRange({ range, counts }: Histogram): Range {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const isOneSided = range.min === 0 || range.max === 0;
  const mayCut = (total * (1 - KEPT_SHARE)) / (isOneSided ? 1 : 2);
  const width = (range.max - range.min) / BINS;
  const cut = (bins: Iterable<number>) => {
    let lost = 0;
    let steps = 0;
    for (const bin of bins) {
      lost += counts[bin] ?? 0;
      if (lost > mayCut) break;
      steps++;
    }
    return steps * width;
  };
  const up = counts.keys();
  const down = Array.from({ length: BINS }, (_, step) => BINS - 1 - step);
  return {
    min: range.min === 0 ? 0 : Math.min(0, range.min + cut(up)),
    max: range.max === 0 ? 0 : Math.max(0, range.max - cut(down)),
  };
}

/**
 * Tries symmetric shares of the range and keeps the one whose quantised distribution diverges least from the observed one.
 *
 * Source: Migacz, "8-bit inference with TensorRT", GTC 2017: elements beyond the threshold are counted into the outermost bin of the reference, and not into the quantised one.
 */
function entropyRange({ range, counts }: Histogram): Range {
  const zero = range.max === range.min ? 0 : Math.round((-range.min / (range.max - range.min)) * BINS);
  const reach = Math.max(zero, BINS - zero);
  let best = { divergence: Number.POSITIVE_INFINITY, share: 1 };
  const steps = 100;
  for (let step = 20; step <= steps; step++) {
    const share = step / steps;
    const from = Math.max(0, zero - Math.round(reach * share));
    const to = Math.min(BINS, zero + Math.round(reach * share));
    const divergence = divergenceOf(counts, from, to);
    // Of equal ranges the widest wins: it cuts nothing.
    if (divergence <= best.divergence) best = { divergence, share };
  }
  const end = ((range.max - range.min) / BINS) * reach * best.share;
  return { min: Math.max(range.min, -end), max: Math.min(range.max, end) };
}

function divergenceOf(counts: Float64Array, from: number, to: number): number {
  const inside = counts.subarray(from, to);
  const reference = inside.slice();
  const sum = (part: Float64Array) => part.reduce((total, count) => total + count, 0);
  reference[0] = (reference[0] ?? 0) + sum(counts.subarray(0, from));
  reference[reference.length - 1] = (reference.at(-1) ?? 0) + sum(counts.subarray(to));
  const quantized = spreadOverLevels(inside);
  const [referenceTotal, quantizedTotal] = [sum(reference), sum(quantized)];
  if (quantizedTotal === 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  for (const [bin, count] of reference.entries()) {
    if (count === 0) continue;
    // A bin that only clipped elements fell into has no share in the quantised distribution; half a count stands for it.
    const share = Math.max(quantized[bin] ?? 0, 0.5) / quantizedTotal;
    divergence += (count / referenceTotal) * Math.log(count / referenceTotal / share);
  }
  return divergence;
}

/** Merges bins into as many groups as there are integers, and spreads each group over its bins that held something. */
function spreadOverLevels(counts: Float64Array): Float64Array {
  const spread = new Float64Array(counts.length);
  const groups = Math.min(LEVELS, counts.length);
  for (let group = 0; group < groups; group++) {
    const [from, to] = [group, group + 1].map((edge) => Math.round((edge * counts.length) / groups));
    const part = counts.subarray(from, to);
    const filled = part.reduce((number, count) => number + (count > 0 ? 1 : 0), 0);
    const total = part.reduce((sum, count) => sum + count, 0);
    for (let bin = from ?? 0; bin < (to ?? 0); bin++) if ((counts[bin] ?? 0) > 0) spread[bin] = total / filled;
  }
  return spread;
}
