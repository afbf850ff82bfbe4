import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { CaseResult } from './types.ts';

export interface GrpcCase {
  /** Instead of those of a right call, or beside them; undefined takes one away. */
  readonly headers?: OutgoingHttpHeaders;
  /** Everything that is sent after the headers, framing included. */
  readonly body: Buffer;
  /** Codes that are right; OK where `answer` is content. */
  readonly refused: readonly status[];
  /** Says what is wrong with the message of a success; absent where the call must not succeed. */
  readonly answer?: ((message: Buffer) => string | undefined) | undefined;
  /** The client gives the call up after so many milliseconds; then anything but a failure of the server is right. */
  readonly cancelAfterMs?: number;
  /** A connection of its own, which the server may close. */
  readonly ownSession?: boolean;
}

const HANG_MS = 20_000;
const SESSIONS = 4;
export const INFER = '/inference.GRPCInferenceService/ModelInfer';

/** A message as it lies in the body of a call. */
export function framed(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag, 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** Connections over which calls are made with every byte of them in the case's hand. */
export class GrpcCaller implements Disposable {
  readonly #address: string;
  readonly #sessions: ClientHttp2Session[] = [];
  #turn = 0;

  constructor(port: number) {
    this.#address = `http://127.0.0.1:${port}`;
  }

  async play(options: GrpcCase): Promise<CaseResult> {
    const session = options.ownSession ? this.#open() : this.#shared();
    try {
      return await call(session, options);
    } finally {
      if (options.ownSession) session.destroy();
    }
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.destroy();
  }

  #shared(): ClientHttp2Session {
    const index = this.#turn++ % SESSIONS;
    const session = this.#sessions[index];
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    this.#sessions[index] = this.#open();
    return this.#sessions[index];
  }

  #open(): ClientHttp2Session {
    return connect(this.#address, { maxSendHeaderBlockLength: 1e6 }).on('error', () => {});
  }
}

function call(session: ClientHttp2Session, options: GrpcCase): Promise<CaseResult> {
  return new Promise((resolve) => {
    const fields = {
      ':method': 'POST',
      ':path': INFER,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...options.headers,
    };
    const stream = session.request(
      Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    );
    const pieces: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    const timer = setTimeout(
      () => finish({ ending: 'closed', violation: `no status within ${HANG_MS / 1e3} s` }),
      HANG_MS,
    );
    const finish = (result: CaseResult) => {
      clearTimeout(timer);
      stream.close(constants.NGHTTP2_CANCEL);
      resolve(result);
    };
    stream.on('response', (fields) => (headers = { ...headers, ...fields }));
    stream.on('trailers', (fields) => (headers = { ...headers, ...fields }));
    stream.on('data', (bytes: Buffer) => pieces.push(bytes)).on('error', () => {});
    stream.on('close', () => finish(judge(headers, Buffer.concat(pieces), options)));
    stream.end(options.body);
    const { cancelAfterMs } = options;
    if (cancelAfterMs !== undefined) void sleep(cancelAfterMs).then(() => stream.close(constants.NGHTTP2_CANCEL));
  });
}

function judge(headers: IncomingHttpHeaders, body: Buffer, options: GrpcCase): CaseResult {
  const { refused, answer, cancelAfterMs, ownSession } = options;
  const code = headers['grpc-status'] === undefined ? undefined : Number(headers['grpc-status']);
  if (code === undefined) {
    const http = headers[':status'] === undefined ? undefined : Number(headers[':status']);
    const isFine = cancelAfterMs !== undefined || (ownSession && (http === undefined || (http >= 400 && http < 500)));
    return { ending: 'closed', violation: isFine ? undefined : `the call ended without a status (HTTP ${http})` };
  }
  const details = String(headers['grpc-message'] ?? '');
  if (code !== status.OK) {
    const isRight = refused.includes(code) && details.length > 5 && !details.startsWith('the%20server%20failed');
    return { ending: 'refused', violation: isRight ? undefined : `${status[code]}: ${details.slice(0, 300)}` };
  }
  if (answer === undefined) return { ending: 'answered', violation: 'answered, though the call is wrong' };
  const isWhole = body.length >= 5 && body.readUInt8(0) === 0 && body.readUInt32BE(1) === body.length - 5;
  return { ending: 'answered', violation: isWhole ? answer(body.subarray(5)) : 'answered with a broken message' };
}
