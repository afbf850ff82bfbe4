import { type Client, type ClientUnaryCall, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { asBytes, MODEL_INFER_PATH, openGrpcChannel } from '../../grpc-channel.ts';
import { httpStatusOf } from '../../grpc-http-status.ts';
import { monotonicNs } from '../../units.ts';
import { OUTCOME } from '../types.ts';
import type { Ending, InFlight, LoadClient, OnEnd, Traffic } from './load-client.ts';
import { lostCallOutcome } from './lost-call.ts';
import type { PreparedRequest } from './requests.ts';

const CONNECT_WITHIN_MS = 1000;

/**
 * A gRPC client over a connection of its own, as each HTTP client has one, so that protocols are compared with as many connections.
 *
 * A call ends with its status, which is after its answer; nothing else of it is looked at while the clock runs. No deadline is sent: as over HTTP, the client gives up by itself.
 */
export class GrpcClient implements LoadClient {
  readonly #client: Client;
  readonly #traffic: Traffic;
  readonly #onEnd: OnEnd;
  #isConnecting = true;
  #inFlight: InFlight | undefined;
  #call: ClientUnaryCall | undefined;

  constructor(address: string, traffic: Traffic, onEnd: OnEnd) {
    this.#client = openGrpcChannel(address);
    this.#traffic = traffic;
    this.#onEnd = onEnd;
    this.#client.waitForReady(Date.now() + CONNECT_WITHIN_MS, () => {
      this.#isConnecting = false;
    });
  }

  get inFlight(): InFlight | undefined {
    return this.#inFlight;
  }

  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  release(request: PreparedRequest, intendedNs: number, waitedForClient: boolean): void {
    if (this.#inFlight !== undefined) throw new Error('a client was released while its request was in flight');
    const sent: InFlight = { request, intendedNs, sentNs: monotonicNs(), waitedForClient };
    this.#inFlight = sent;
    this.#traffic.activity++;
    let answer: { readonly error: ServiceError | null; readonly value: Buffer | undefined } | undefined;
    this.#call = this.#client.makeUnaryRequest(MODEL_INFER_PATH, asBytes, asBytes, request.bytes, (error, value) => {
      answer = { error, value };
    });
    // Comes right after the answer, and with the trailer.
    this.#call.on('status', ({ metadata }) => {
      const doneNs = monotonicNs();
      // Given up meanwhile.
      if (this.#inFlight !== sent) return;
      this.#end(describe(answer?.error ?? null, answer?.value, metadata, doneNs));
    });
  }

  abandon(outcome: number, doneNs: number): void {
    const call = this.#call;
    this.#end({ outcome, doneNs, head: undefined, body: [] });
    call?.cancel();
  }

  close(): void {
    this.#client.close();
  }

  #end(how: Ending): void {
    const ended = this.#inFlight;
    this.#inFlight = undefined;
    this.#call = undefined;
    this.#traffic.activity++;
    if (ended !== undefined) this.#onEnd(this, ended, how);
  }
}

/** A call's end in the terms of HTTP. */
function describe(error: ServiceError | null, value: Buffer | undefined, trailer: Metadata, doneNs: number): Ending {
  const lost = error === null ? undefined : lostCallOutcome(error);
  if (lost !== undefined) return { outcome: lost, doneNs, head: undefined, body: [] };
  const [timing] = trailer.get('server-timing');
  const head = {
    statusCode: httpStatusOf(error?.code ?? status.OK),
    headers: timing === undefined ? [] : ['server-timing', String(timing)],
  };
  return { outcome: OUTCOME.ok, doneNs, head, body: value === undefined ? [] : [value] };
}
