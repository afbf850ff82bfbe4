import { DseError, LoadError, messageOf, type Problem } from '../../errors.ts';
import { monotonicNs, NS_PER_US } from '../../units.ts';
import type { Call, GeneratorAnswers, GeneratorMessage, GeneratorRequest } from '../messages.ts';
import type { Traffic } from './load-client.ts';
import { prepareTarget } from './prepare-target.ts';
import type { PreparedTarget } from './requests.ts';
import { type GeneratorRun, startGeneratorRun } from './run.ts';
import { createSpinClock } from './spin-clock.ts';

/** The generator process: answers the driver over IPC, and ends when the driver does. */

/** One of the loads that this process may have on. */
interface Channel {
  readonly traffic: Traffic;
  prepared?: { readonly target: PreparedTarget; readonly timeoutMs: number } | undefined;
  run?: GeneratorRun | undefined;
}

const channels = new Map<number, Channel>();
const spinClock = createSpinClock();
/** Over all loads that there were: a turn of the event loop in which any of them did something is no empty one. */
const traffics: Traffic[] = [];
const activity = () => {
  let sum = 0;
  // By index: it is asked in every turn of a spin, and is to leave nothing to collect.
  for (let at = 0; at < traffics.length; at++) sum += traffics[at]?.activity ?? 0;
  return sum;
};

// Ctrl-C reaches every process of the terminal; the driver decides when this one stops.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (call: Call) => {
  handle(call).then(
    (value) => tell({ type: 'answer', id: call.id, value }),
    (error: unknown) => tell({ type: 'refusal', id: call.id, problems: problemsOf(error) }),
  );
});
tell({ type: 'ready' });

function tell(message: GeneratorMessage): void {
  // The channel may close while a message is on its way; `disconnect` then ends the process.
  process.send?.(message, undefined, undefined, () => {});
}

async function handle({ channel: id, request }: Call): Promise<GeneratorAnswers[GeneratorRequest['type']]> {
  const channel = channelOf(id);
  switch (request.type) {
    case 'prepare':
      channel.prepared = { target: await prepareTarget(request.target), timeoutMs: request.timeoutMs };
      return null;
    case 'start': {
      if (channel.prepared === undefined) {
        throw new LoadError({ what: 'nothing was prepared for this load', hint: 'Call prepare with a target first.' });
      }
      channel.run = await startGeneratorRun({
        ...channel.prepared,
        load: request.load,
        ...{ traffic: channel.traffic, activity, spinClock },
        onRecords: (records) => tell({ type: 'records', channel: id, records }),
      });
      if (channels.get(id) !== channel) {
        // Closed while its connections were opened: nobody would stop it.
        channel.run.abandon();
        await channel.run.stop();
      }
      return { startedAtNs: channel.run.startedAtNs };
    }
    case 'stop':
      await channel.run?.stop();
      channel.run = undefined;
      return null;
    case 'close':
      channel.run?.abandon();
      await channel.run?.stop();
      channels.delete(id);
      return null;
    case 'usage': {
      channel.run?.countTraffic();
      const { user, system } = process.cpuUsage();
      return {
        atNs: monotonicNs(),
        cpuTimeUs: user + system,
        spinTimeUs: spinClock.totalNs() / NS_PER_US,
        serverRxBytes: channel.traffic.sentBytes,
        serverTxBytes: channel.traffic.receivedBytes,
      };
    }
  }
}

function channelOf(id: number): Channel {
  const known = channels.get(id);
  if (known !== undefined) return known;
  const traffic = { sentBytes: 0, receivedBytes: 0, activity: 0 };
  traffics.push(traffic);
  const opened = { traffic };
  channels.set(id, opened);
  return opened;
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof DseError) return error.problems;
  return [
    { what: `the load generator failed: ${messageOf(error)}`, hint: 'This is a fault in dse; please report it.' },
  ];
}
