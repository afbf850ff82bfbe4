import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { DirectOptions } from './connection.ts';
import { DirectConnection } from './connection.ts';

export interface ServeDirectlyOptions
  extends Pick<DirectOptions, 'pool' | 'bodyLimitBytes' | 'requestTimeoutMs' | 'takes' | 'answer'> {}

/**
 * Puts `DirectConnection`s between a server that does not listen yet and its connections.
 * @returns closes them all: the idle ones at once, the others after the answer that is due or when `graceMs` are over
 */
export function serveDirectly(server: Server, options: ServeDirectlyOptions): (graceMs: number) => void {
  const [toHttp] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  const connections = new Set<DirectConnection>();
  server.removeAllListeners('connection');
  // A property of net.Server that its types lack.
  Object.assign(server, { pauseOnConnect: true });
  server.on('connection', (accepted: Socket) => {
    const connection = new DirectConnection(accepted, {
      ...options,
      keepAliveMs: server.keepAliveTimeout,
      onGone: () => connections.delete(connection),
      handOver(socket, unread) {
        socket.pause();
        if (unread.byteLength > 0) socket.unshift(unread);
        toHttp?.call(server, socket);
        socket.resume();
      },
    });
    connections.add(connection);
  });
  return (graceMs) => {
    for (const connection of connections) connection.close(graceMs);
  };
}
