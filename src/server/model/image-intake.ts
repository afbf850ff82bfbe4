import { KserveError } from '../../kserve/index.ts';
import { createImageReader, ImageError, type ImageReader } from '../../models/index.ts';
import type { ImageDescription, NamedTensor, TensorSpec } from '../../models/types.ts';

/** HTTP statuses of what an image may be refused for. */
const STATUS: Readonly<Record<ImageError['kind'], number>> = { format: 415, size: 413, damaged: 400, unavailable: 501 };

/** Makes images into a model's input, a bounded number of them at a time. */
export class ImageIntake {
  readonly description: ImageDescription;
  readonly #read: ImageReader;
  readonly #most: number;
  #count = 0;

  /**
   * @param most - images that may be decoded or wait for it
   * @throws ModelError where description and model do not fit together
   */
  constructor(description: ImageDescription, inputs: readonly TensorSpec[], file: string, most: number) {
    this.description = description;
    this.#read = createImageReader(description, inputs, file);
    this.#most = most;
  }

  /** @throws KserveError for what is no image, or one too many */
  async read(bytes: Uint8Array): Promise<NamedTensor> {
    if (this.#count >= this.#most) {
      throw new KserveError(429, `${this.#most} images wait to be decoded already`, { retryAfterS: 1 });
    }
    this.#count++;
    try {
      return await this.#read(bytes);
    } catch (error) {
      throw error instanceof ImageError ? new KserveError(STATUS[error.kind], error.message) : error;
    } finally {
      this.#count--;
    }
  }
}
