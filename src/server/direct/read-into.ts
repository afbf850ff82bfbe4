import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** What Node's servers and sockets hold that has no public name; test/server/read-into.test.ts tells when it changes. */
interface Internals {
  _handle: unknown;
  /** The server that counts the connection, until it is closed. */
  _server: unknown;
}

/**
 * Moves a connection that a server has just accepted, with `pauseOnConnect`, to a socket that reads into memory of the caller's choice.
 *
 * Node offers `onread` for the sockets one makes oneself, not for those its servers accept.
 * @param accepted - not to be used any more
 * @param onread - `buffer` gives the memory for the next read, `callback` gets the number of bytes and that memory; see Node's `new net.Socket`
 */
export function readInto(accepted: Socket, onread: OnReadOpts): Socket {
  const from = accepted as unknown as Internals;
  const options = { handle: from._handle, allowHalfOpen: true, readable: true, writable: true, onread };
  const socket = new Socket(options as SocketConstructorOpts);
  const to = socket as unknown as Internals;
  to._server = from._server;
  from._server = null;
  from._handle = null;
  return socket;
}
