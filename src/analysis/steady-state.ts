import { tTwoSidedP } from './distributions.ts';

/** Whether a series has become steady, and from where on. */
export type SteadyState =
  | {
      readonly state: 'steady';
      /** Index of the first observation to keep. */
      readonly start: number;
    }
  | {
      readonly state: 'unsteady';
      /** Why not yet, with the figures, in words that fit after "not steady: ". */
      readonly reason: string;
    };

/** Queue latencies are skewed, and on a linear scale one busy spell moves every mean; on a log scale factors count. */
export type Scale = 'log' | 'linear';

export interface SteadyStateOptions {
  /** `log` by default, for latencies and other positive values. */
  readonly scale?: Scale;
  /** Observations averaged into one before the rule looks: 5 for requests, 1 for values that are means already. */
  readonly batchSize?: number;
  /** Observations below which nothing is decided. */
  readonly minimum?: number;
}

/** Kept observations are tested for drift in so many parts, few enough for neighbouring parts to be nearly independent. */
const DRIFT_PARTS = 10;
/** A drift that chance would show more seldom than this is taken for one. */
const DRIFT_LEVEL = 0.01;

/**
 * Decides from a series, oldest first, whether its warm-up is over; to be asked again as the series grows.
 *
 * MSER-5 chooses where to cut: of all truncations, the one that leaves the smallest squared standard error of the mean of what is kept, over batches of
 * five. A cut in the second half means that the series still settles. What is kept must then show no drift: the slope of a line through the
 * means of ten parts of it. A drift too slow to stand out of the noise of what has been seen so far cannot be found; test the measurement as well.
 * @param series - e.g. latencies in the order of their intended times; a failed request must hold its censored latency, not be absent
 * @throws RangeError on the log scale if a value is not positive
 * Source: White (1997), "An effective truncation heuristic for bias reduction in simulation output", Simulation 69(6); White, Cobb, Spratt (2000),
 * "A comparison of five steady-state truncation heuristics for simulation", Proceedings of the Winter Simulation Conference (MSER-5 and the rejection of late cuts).
 */
export function findSteadyStart(series: Float64Array, options: SteadyStateOptions = {}): SteadyState {
  const { scale = 'log', batchSize = 5, minimum = 20 * batchSize } = options;
  if (series.length < minimum) {
    return { state: 'unsteady', reason: `${series.length} of at least ${minimum} observations so far` };
  }
  const batches = averageBatches(rescale(series, scale), Math.floor(series.length / batchSize));
  const cut = chooseTruncation(batches);
  if (cut > batches.length / 2) {
    return {
      state: 'unsteady',
      reason: `it still settles: MSER-${batchSize} would cut ${cut * batchSize} of ${series.length} observations, more than half`,
    };
  }
  const start = cut * batchSize;
  const drift = testDrift(series.subarray(start), scale);
  if (drift.p < DRIFT_LEVEL) {
    return {
      state: 'unsteady',
      reason: `it drifts by ${formatShare(drift.relativeChange)} over the last ${series.length - start} observations (p = ${drift.p.toPrecision(2)})`,
    };
  }
  return { state: 'steady', start };
}

/** A straight drift through a series. */
export interface Drift {
  /** Change from the start to the end of the fitted line, as a share of the mean, or on the log scale of the start. */
  readonly relativeChange: number;
  /** Two-sided probability of a slope at least as steep if there were none. */
  readonly p: number;
}

/**
 * The line through the means of ten equal parts of a series, and the t test of its slope.
 *
 * Takes the parts as independent, so they must be long against the time over which the series is correlated.
 * @throws RangeError if the series has fewer than ten values, or on the log scale a value that is not positive
 */
export function testDrift(series: Float64Array, scale: Scale): Drift {
  if (series.length < DRIFT_PARTS) throw new RangeError(`${series.length} values; a drift needs ${DRIFT_PARTS}`);
  const parts = averageBatches(rescale(series, scale), DRIFT_PARTS);
  const mean = parts.reduce((sum, part) => sum + part, 0) / DRIFT_PARTS;
  const centre = (DRIFT_PARTS - 1) / 2;
  let covariance = 0;
  let spread = 0;
  for (const [index, part] of parts.entries()) {
    covariance += (index - centre) * (part - mean);
    spread += (index - centre) ** 2;
  }
  const slope = covariance / spread;
  let residuals = 0;
  for (const [index, part] of parts.entries()) residuals += (part - mean - slope * (index - centre)) ** 2;
  const df = DRIFT_PARTS - 2;
  const change = slope * DRIFT_PARTS;
  const relativeChange = scale === 'log' ? Math.expm1(change) : change === 0 ? 0 : change / Math.abs(mean);
  if (residuals === 0) return { relativeChange, p: slope === 0 ? 1 : 0 };
  return { relativeChange, p: tTwoSidedP(slope / Math.sqrt(residuals / df / spread), df) };
}

function rescale(series: Float64Array, scale: Scale): Float64Array {
  if (scale === 'linear') return series;
  const unfit = series.find((value) => !(value > 0));
  if (unfit !== undefined) throw new RangeError(`a value of ${unfit} has no logarithm; use the linear scale`);
  return series.map(Math.log);
}

/** Means of `count` batches of equal length; observations that do not fill a last batch are left out. */
function averageBatches(series: Float64Array, count: number): Float64Array {
  const length = Math.floor(series.length / count);
  const means = new Float64Array(count);
  for (let batch = 0; batch < count; batch++) {
    let sum = 0;
    for (let index = batch * length; index < (batch + 1) * length; index++) sum += series[index] as number;
    means[batch] = sum / length;
  }
  return means;
}

/**
 * How many batches to cut from the front for the least squared standard error of the mean of the others.
 *
 * The last tenth is never all that is kept: the error of so few batches is small by chance now and then.
 */
function chooseTruncation(batches: Float64Array): number {
  const leastKept = Math.max(5, Math.floor(batches.length / 10));
  let count = 0;
  let mean = 0;
  let squares = 0;
  let best = { cut: 0, error: Number.POSITIVE_INFINITY };
  // From the end, so that each kept mean and sum of squares follows from the one before (Welford).
  for (let index = batches.length - 1; index >= 0; index--) {
    const value = batches[index] as number;
    count++;
    const deviation = value - mean;
    mean += deviation / count;
    squares += deviation * (value - mean);
    if (count < leastKept) continue;
    const error = squares / count ** 2;
    if (error <= best.error) best = { cut: index, error };
  }
  return best.cut;
}

function formatShare(share: number): string {
  const percent = 100 * Math.abs(share);
  return `${share < 0 ? '-' : '+'}${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}
