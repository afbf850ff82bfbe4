/**
 * Why a run gave no outputs: `inputs` were refused, the `runtime` failed on them, or the engine is `gone`.
 *
 * Ends one request, so it is not a DseError. The message is one sentence.
 */
export class InferenceError extends Error {
  readonly kind: InferenceErrorKind;

  constructor(kind: InferenceErrorKind, message: string) {
    super(message);
    this.name = 'InferenceError';
    this.kind = kind;
  }
}

export type InferenceErrorKind = 'inputs' | 'runtime' | 'gone';

export function gone(): InferenceError {
  return new InferenceError('gone', 'the model is not loaded any more');
}
