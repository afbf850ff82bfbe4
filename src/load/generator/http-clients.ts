import { startClients } from './autocannon.ts';
import type { OnEnd, OpenClients, Traffic } from './load-client.ts';
import { PacedClient } from './paced-client.ts';
import type { PreparedTarget } from './requests.ts';

/** @throws LoadError where autocannon refuses */
export function openHttpClients(
  { url, method, judge }: PreparedTarget,
  connections: number,
  traffic: Traffic,
  onEnd: OnEnd,
): OpenClients {
  const clients: PacedClient[] = [];
  const close = startClients(url, connections, (client) => {
    clients.push(
      new PacedClient(client, { traffic, isHead: method === 'HEAD', keepsBody: judge !== undefined, onEnd }),
    );
  });
  return { clients, countTraffic: () => {}, close };
}
