import { createRng } from '../../../src/rng.ts';

/** Seeded choices of one case. */
export interface Choice {
  /** Both ends included. */
  integer(low: number, high: number): number;
  chance(share: number): boolean;
  of<T>(items: readonly T[]): T;
  bytes(length: number): Buffer;
}

export function createChoice(seed: number): Choice {
  const rng = createRng(seed);
  return {
    integer: (low, high) => rng.integer(low, high),
    chance: (share) => rng.uniform() < share,
    of: (items) => items[rng.integer(0, items.length - 1)] as (typeof items)[number],
    bytes: (length) => Buffer.from(Array.from({ length }, () => rng.integer(0, 255))),
  };
}

/** The bytes with a piece cut off, flipped, repeated, taken out or put in. */
export function mangle(choose: Choice, bytes: Buffer): Buffer {
  const at = choose.integer(0, Math.max(0, bytes.length - 1));
  const some = choose.integer(1, 12);
  switch (choose.of(['cut', 'flip', 'repeat', 'take out', 'put in'])) {
    case 'cut':
      return bytes.subarray(0, at);
    case 'flip': {
      const flipped = Buffer.from(bytes);
      for (let i = 0; i < some; i++) flipped[choose.integer(0, bytes.length - 1)] = choose.integer(0, 255);
      return flipped;
    }
    case 'repeat':
      return Buffer.concat([bytes.subarray(0, at + some), bytes.subarray(at)]);
    case 'take out':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + some)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), choose.bytes(some), bytes.subarray(at)]);
  }
}
