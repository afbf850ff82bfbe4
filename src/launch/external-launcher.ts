import { LaunchError } from '../errors.ts';
import type { ServerDescription } from '../spec/types.ts';
import { monotonicNs } from '../units.ts';
import { untilAnswering } from './answering.ts';
import { fillPlaceholders } from './container/other-server.ts';
import { describeCancel } from './start-failure.ts';
import type { Launcher, Limits, RunningServer } from './types.ts';

/** What KServe V2 says a server must answer when it can be used. */
const KSERVE_READY = { path: '/v2/health/ready' };

/**
 * A server that already runs somewhere: it is asked whether it is ready, and nothing else is done to it.
 *
 * Nothing is known of its CPU time and memory, and its end is not seen but by requests that fail.
 * @param ready - how it says that it is ready
 */
export function createExternalLauncher(url: string, ready: ServerDescription['ready'] = KSERVE_READY): Launcher {
  return {
    engine: 'external',
    check: async (limits) => {
      const asked = [...new Set(limits.flatMap((one) => Object.keys(one) as (keyof Limits)[]))];
      return asked.map((limit) => ({
        what: `a limit (${limit}) cannot be applied to a server that already runs at ${url}`,
        hint: 'Leave it out, or let dse start the server.',
      }));
    },
    async start(request, signal): Promise<RunningServer> {
      const address = `${url}${fillPlaceholders(ready.path, { model: request.other?.model.name ?? '' })}`;
      const timeout = AbortSignal.timeout(request.readyTimeoutMs);
      const last = await untilAnswering(address, ready.contains, AbortSignal.any([signal, timeout]));
      if (signal.aborted) throw describeCancel(request);
      if (last !== undefined) {
        throw new LaunchError({
          where: address,
          what: `the server was not ready within ${request.readyTimeoutMs} ms; it answered last: ${last}`,
          hint: 'Start it with its model loaded, or correct "server.url".',
        });
      }
      return {
        ...{ url, applied: {}, mechanism: 'none (a server that already ran)', pid: undefined },
        readUsage: async () => ({
          atNs: monotonicNs(),
          cpuTimeUs: undefined,
          throttledUs: undefined,
          memoryPeakBytes: undefined,
          networkRxBytes: undefined,
          networkTxBytes: undefined,
          blockReadBytes: undefined,
          blockWriteBytes: undefined,
        }),
        resetMemoryPeak: async () => false,
        exited: new Promise(() => {}),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}
