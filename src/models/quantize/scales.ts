import type { Range } from './ranges.ts';

/** x = scale * (q - zeroPoint), q a uint8. */
export interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Weights as int8 with a scale for each channel. */
export interface QuantizedWeights {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

const LARGEST_INT8 = 127;
const STEPS = 255;
/** Below it float32 has few bits left. */
const SMALLEST_SCALE = 2 ** -126;
/** A bias is held as int32 in steps of input scale times weight scale; this keeps it well inside. */
const LARGEST_BIAS = 2 ** 30;

/**
 * The scale of an activation. Where nothing is below 0, the zero point is 0: that lets a ReLU be folded into the rounding.
 *
 * The scale is rounded up to 11 significant bits. Processors differ in the last bits of the sums that calibration sees, and so the same model mostly gives the same bytes on all of them.
 */
export function activationScale({ min, max }: Range): Scale {
  const scale = roundUp((max - min) / STEPS) || 1;
  return { scale, zeroPoint: min === 0 ? 0 : Math.min(STEPS, Math.max(0, Math.round(-min / scale))) };
}

/** A float32 of at most 11 significant bits, not below the value. */
function roundUp(value: number): number {
  if (value <= 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(value)) - 10);
  return Math.fround(Math.ceil(value / unit) * unit);
}

/**
 * Weights rounded to int8, symmetric about 0, each channel by its own largest weight.
 *
 * @param axis - the dimension of the output channels
 * @param biases - where a channel's bias is large beside its weights, its scale is widened so that the bias fits an int32
 * @param inputScale - scale of the activation that the weights are multiplied with
 */
export function quantizeWeights(
  weights: Float32Array,
  dims: readonly number[],
  axis: number,
  biases: Float32Array | undefined,
  inputScale: number,
): QuantizedWeights {
  const channels = dims[axis] ?? 1;
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const channelOf = (index: number) => Math.floor(index / inner) % channels;
  const largest = new Float64Array(channels);
  for (let index = 0; index < weights.length; index++) {
    const channel = channelOf(index);
    largest[channel] = Math.max(largest[channel] ?? 0, Math.abs(weights[index] ?? 0));
  }
  const scales = Float32Array.from(largest, (value, channel) => {
    const forBias = Math.abs(biases?.[channel] ?? 0) / (inputScale * LARGEST_BIAS);
    const scale = Math.max(value / LARGEST_INT8, forBias);
    // A channel of zeros, or of weights next to nothing, may have any scale.
    return scale < SMALLEST_SCALE ? 1 : scale;
  });
  const values = new Int8Array(weights.length);
  for (let index = 0; index < weights.length; index++) {
    const rounded = Math.round((weights[index] ?? 0) / (scales[channelOf(index)] ?? 1));
    values[index] = Math.max(-LARGEST_INT8, Math.min(LARGEST_INT8, rounded));
  }
  return { values, scales };
}
