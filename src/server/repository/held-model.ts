import type { LoadedModel } from '../model/types.ts';

/** A loaded model with the requests that use it, which are answered before it is let go. */
export class HeldModel {
  readonly model: LoadedModel;
  #holds = 0;
  #onUnheld: () => void = () => {};

  constructor(model: LoadedModel) {
    this.model = model;
  }

  /** It stays loaded until it is released as often as it was held. */
  hold(): this {
    this.#holds++;
    return this;
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.#onUnheld();
  }

  /** Lets go of the model once nobody holds it; nobody may hold it anew. */
  async dispose(): Promise<void> {
    if (this.#holds > 0) {
      await new Promise<void>((resolve) => {
        this.#onUnheld = resolve;
      });
    }
    await this.model[Symbol.asyncDispose]();
  }
}
