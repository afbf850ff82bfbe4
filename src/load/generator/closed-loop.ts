import { monotonicNs } from '../../units.ts';
import { OUTCOME } from '../types.ts';
import type { LoadClient } from './load-client.ts';
import type { Pacing, PacingHost } from './pacing.ts';

/** How long a client rests after its connection was refused or broken, so that a dead server is not asked in a hot loop. */
const RECONNECT_AFTER_MS = 100;

/** Each client sends its next request as soon as the last one has ended. The intended time is the moment it is sent. */
export function createClosedLoop(host: PacingHost): Pacing {
  const waiting: LoadClient[] = [];
  const resting = new Set<NodeJS.Timeout>();
  let isOn = false;
  const send = (client: LoadClient) => host.send(client, monotonicNs(), false);
  return {
    clientIsIdle: (client, outcome) => {
      if (!isOn) {
        waiting.push(client);
      } else if (outcome === OUTCOME.refused || outcome === OUTCOME.reset || outcome === OUTCOME.malformed) {
        const timer = setTimeout(() => {
          resting.delete(timer);
          send(client);
        }, RECONNECT_AFTER_MS);
        resting.add(timer);
      } else {
        send(client);
      }
    },
    start: () => {
      isOn = true;
      for (const client of waiting.splice(0)) send(client);
    },
    expire: () => {},
    stop: () => {
      isOn = false;
      for (const timer of resting) clearTimeout(timer);
    },
  };
}
