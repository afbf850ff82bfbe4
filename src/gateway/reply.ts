import type { ServerResponse } from 'node:http';
import type { Fields } from './header-fields.ts';

/** Where the answer to a request goes, part by part. */
export interface Reply {
  /** Whether the client went away. */
  readonly isGone: boolean;
  /** Whether a part of the answer has gone to the client. */
  readonly hasBegun: boolean;
  /** Called when the client goes away. */
  onGone: (() => void) | undefined;
  /** Called when there is room again. */
  onRoom: (() => void) | undefined;
  begin(status: number, fields: Fields): void;
  /** Returns whether there is room for more. */
  write(part: Uint8Array): boolean;
  end(): void;
  /** Ends an answer that has begun so that the client notices that it is not whole. */
  breakOff(): void;
}

/** The reply to a request that Node's HTTP server has read. */
export class HttpReply implements Reply {
  onGone: (() => void) | undefined;
  onRoom: (() => void) | undefined;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('close', () => this.onGone?.()).on('drain', () => this.onRoom?.());
  }

  get isGone(): boolean {
    return this.#response.destroyed;
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  begin(status: number, fields: Fields): void {
    this.#response.writeHead(status, fields);
  }

  write(part: Uint8Array): boolean {
    return this.#response.write(part);
  }

  end(): void {
    this.#response.end();
  }

  breakOff(): void {
    this.#response.destroy();
  }
}
