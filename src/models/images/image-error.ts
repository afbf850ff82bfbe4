/**
 * An image that is refused, with one sentence for whoever sent it.
 *
 * It is not a DseError: it ends one request, or counts as one problem of a folder.
 */
export class ImageError extends Error {
  /** `format`: neither JPEG nor PNG; `size`: too many pixels or bytes; `damaged`: what it says it is, but not readable; `unavailable`: nothing decodes it here. */
  readonly kind: 'format' | 'size' | 'damaged' | 'unavailable';

  constructor(kind: ImageError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ImageError';
    this.kind = kind;
  }
}
