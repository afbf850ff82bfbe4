import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { encodeError } from '../kserve/index.ts';

/** Status and sentence for what Node's HTTP parser could not read, by its error code. */
const ANSWERS: Readonly<Record<string, readonly [status: string, sentence: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to arrive'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the request has too many or too long header fields'],
};

/** Answers what is not HTTP with the protocol's error, as far as the connection still carries one, and closes it. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, sentence] = ANSWERS[error.code ?? ''] ?? [
    '400 Bad Request',
    `this is not an HTTP request: ${error.message}`,
  ];
  answerLast(socket, status, sentence);
}

/** Answers an `Expect` that is no 100-continue, which Node would answer without a body. Source: RFC 9110, section 10.1.1. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const { headers, body } = encodeError('this server meets no expectation but 100-continue');
  response.writeHead(417, { ...headers, connection: 'close' }).end(body);
}

/** Answers a CONNECT, on which Node would close the connection without a word. */
export function answerConnect(_request: IncomingMessage, socket: Duplex): void {
  answerLast(socket as Socket, '405 Method Not Allowed', 'this server is no proxy');
}

function answerLast(socket: Socket, status: string, sentence: string): void {
  const { headers, body } = encodeError(sentence);
  if (socket.writable) {
    const fields = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status}\r\n${fields.join('')}\r\n${Buffer.from(body).toString()}`);
  }
  socket.destroySoon();
}
