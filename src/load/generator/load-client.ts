import type { ReplyHead } from './autocannon.ts';
import type { PreparedRequest } from './requests.ts';

/** A request that is on its way. */
export interface InFlight {
  readonly request: PreparedRequest;
  readonly intendedNs: number;
  readonly sentNs: number;
  readonly waitedForClient: boolean;
}

/** How a request in flight ended; `head` and `body` are there where the whole reply is. Every protocol puts its replies into the terms of HTTP. */
export interface Ending {
  /** `ok` for any whole reply: what its status and content mean is not the client's to judge. */
  readonly outcome: number;
  readonly doneNs: number;
  readonly head: Pick<ReplyHead, 'statusCode' | 'headers'> | undefined;
  readonly body: readonly Buffer[];
}

/** Traffic of all clients, for usage and to tell a busy turn of the event loop from an idle one. */
export interface Traffic {
  sentBytes: number;
  receivedBytes: number;
  /** Counts up with everything a client does. */
  activity: number;
}

/** Called once for each request that was released; the client is idle by then and may be released again at once. */
export type OnEnd = (client: LoadClient, ended: InFlight, how: Ending) => void;

/**
 * One connection to the server with at most one request in flight, whatever the protocol.
 *
 * It sends when it is told, and only then; each released request ends exactly once, through the `OnEnd` it was made with. One whose connection is gone opens another when it
 * is next released.
 */
export interface LoadClient {
  readonly inFlight: InFlight | undefined;
  /** Whether its first connection is still on the way. */
  readonly isConnecting: boolean;
  /** Sends a request now. Must be idle. */
  release(request: PreparedRequest, intendedNs: number, waitedForClient: boolean): void;
  /** Gives up the request in flight, as ended at `doneNs`. */
  abandon(outcome: number, doneNs: number): void;
}

/** The clients of one run. */
export interface OpenClients {
  readonly clients: readonly LoadClient[];
  /** Brings the traffic counters up to now. */
  countTraffic(): void;
  /** Ends all connections. */
  close(): Promise<void>;
}
