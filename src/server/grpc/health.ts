import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { INFERENCE_SERVICE } from '../../kserve/index.ts';

/**
 * What grpc.health.v1 says: the same of the server as a whole (the empty name) and of the protocol's service.
 *
 * Source: gRPC, "GRPC Health Checking Protocol", https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export class GrpcHealth {
  readonly #statuses: HealthImplementation;
  #isServing: boolean;
  #isStopping = false;

  constructor(isServing: boolean) {
    this.#isServing = isServing;
    this.#statuses = new HealthImplementation({ '': wordOf(isServing), [INFERENCE_SERVICE]: wordOf(isServing) });
  }

  /** Tells those who watch, where it changes; not once it stops. */
  set(isServing: boolean): void {
    if (this.#isStopping || isServing === this.#isServing) return;
    this.#isServing = isServing;
    for (const name of ['', INFERENCE_SERVICE]) this.#statuses.setStatus(name, wordOf(isServing));
  }

  /** It takes no more calls, for good. */
  stop(): void {
    this.set(false);
    this.#isStopping = true;
  }

  addToServer(server: Server): void {
    this.#statuses.addToServer(server);
  }
}

function wordOf(isServing: boolean): 'SERVING' | 'NOT_SERVING' {
  return isServing ? 'SERVING' : 'NOT_SERVING';
}
