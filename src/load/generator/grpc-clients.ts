import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { GrpcClient } from './grpc-client.ts';
import type { OnEnd, OpenClients, Traffic } from './load-client.ts';
import type { PreparedTarget } from './requests.ts';

/** Node's channel of the sockets a process opens. The only ones of a generator are those of its load. */
const SOCKETS = 'net.client.socket';

export function openGrpcClients(
  { url }: PreparedTarget,
  connections: number,
  traffic: Traffic,
  onEnd: OnEnd,
): OpenClients {
  const meter = meterSockets(traffic);
  const clients = Array.from({ length: connections }, () => new GrpcClient(url, traffic, onEnd));
  return {
    clients,
    countTraffic: meter.count,
    close: async () => {
      for (const client of clients) client.close();
      meter.end();
    },
  };
}

/** Counts the bytes of every socket opened from now on: HTTP/2 does not show what its own took. */
function meterSockets(traffic: Traffic) {
  const counted = new Map<Socket, { sent: number; received: number }>();
  const onSocket = (message: unknown) => {
    counted.set((message as { socket: Socket }).socket, { sent: 0, received: 0 });
  };
  subscribe(SOCKETS, onSocket);
  const count = () => {
    for (const [socket, before] of counted) {
      const { bytesWritten, bytesRead } = socket;
      // A socket that is closed forgets what HTTP/2 read and wrote past it.
      traffic.sentBytes += Math.max(0, bytesWritten - before.sent);
      traffic.receivedBytes += Math.max(0, bytesRead - before.received);
      if (socket.destroyed) counted.delete(socket);
      else counted.set(socket, { sent: bytesWritten, received: bytesRead });
    }
  };
  const end = () => {
    count();
    unsubscribe(SOCKETS, onSocket);
  };
  return { count, end };
}
