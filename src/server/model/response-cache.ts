import { LRUCache } from 'lru-cache';
import type { NamedTensor, TensorData } from '../../models/types.ts';

/** Most memory a cache may take, bytes, however many entries it may have. */
const MOST_BYTES = 256e6;

/** Inputs of up to this many 32-bit words are hashed whole; of longer ones as many words spread over them. */
const HASHED_WORDS = 2048;

/** Bytes an entry is reckoned at beside those of its tensors. */
const ENTRY_BYTES = 500;

interface Entry {
  /** Copies or the very memory of the inputs that were answered. */
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly NamedTensor[];
}

/**
 * Answers of one version of a model by what was asked, the least recently used going first.
 *
 * A hash only finds the entry; an answer is given when the whole input is equal byte for byte, so that no collision can ever give one request the answer of another.
 * Bounded in entries and in bytes, inputs included.
 */
export class ResponseCache {
  readonly #entries: LRUCache<string, Entry>;

  /** @param entries - most answers kept */
  constructor(entries: number) {
    this.#entries = new LRUCache({ max: entries, maxSize: MOST_BYTES, sizeCalculation: sizeOf });
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** The answer to the same inputs, outputs in the order asked for; undefined where there is none, or an input is text. */
  find(key: string, tensors: readonly NamedTensor[]): readonly NamedTensor[] | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const isSame = tensors.every((tensor, index) => {
      const bytes = bytesOf(tensor.data);
      return bytes !== undefined && Buffer.compare(bytes, entry.inputs[index] as Uint8Array) === 0;
    });
    return isSame ? entry.outputs : undefined;
  }

  /**
   * Keeps an answer.
   * @param inputs - bytes of the inputs in the model's order, which nobody writes to any more
   */
  add(key: string, inputs: readonly Uint8Array[], outputs: readonly NamedTensor[]): void {
    this.#entries.set(key, { inputs, outputs: outputs.map(copyOf) });
  }
}

/** Where an answer is found: shapes, types, the outputs asked for and a hash of the inputs; undefined for inputs that are not kept, which are those of text. */
export function cacheKey(tensors: readonly NamedTensor[], outputs: readonly string[]): string | undefined {
  const parts: unknown[] = [outputs];
  for (const { data, shape, type } of tensors) {
    const bytes = bytesOf(data);
    if (bytes === undefined) return undefined;
    parts.push(type, shape, hashOf(bytes));
  }
  return JSON.stringify(parts);
}

export function bytesOf(data: TensorData): Uint8Array | undefined {
  return Array.isArray(data) ? undefined : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** FNV-1a over 32-bit words, over the whole of a short input and words spread over a long one. Source: draft-eastlake-fnv. */
function hashOf(bytes: Uint8Array): number {
  const words = Math.floor(bytes.byteLength / 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = Math.max(1, words / HASHED_WORDS);
  let hash = 0x811c9dc5 ^ bytes.byteLength;
  for (let word = 0; word < words; word += step) {
    hash = Math.imul(hash ^ view.getUint32(Math.floor(word) * 4, true), 0x01000193);
  }
  for (let tail = words * 4; tail < bytes.byteLength; tail++) hash = Math.imul(hash ^ (bytes[tail] ?? 0), 0x01000193);
  return hash >>> 0;
}

/** The outputs of joined requests are views of one memory, which an entry must not hold whole. */
function copyOf(tensor: NamedTensor): NamedTensor {
  return { ...tensor, data: tensor.data.slice() as TensorData };
}

function sizeOf({ inputs, outputs }: Entry): number {
  const inputBytes = inputs.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  const outputBytes = outputs.reduce((sum, { data }) => sum + (bytesOf(data)?.byteLength ?? textBytes(data)), 0);
  return ENTRY_BYTES + inputBytes + outputBytes;
}

function textBytes(data: TensorData): number {
  return (data as readonly string[]).reduce((sum, text) => sum + 2 * text.length, 0);
}
