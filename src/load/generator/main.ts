import { DseError, LoadError, messageOf, type Problem } from '../../errors.ts';
import { monotonicNs, NS_PER_US } from '../../units.ts';
import type { Call, GeneratorAnswers, GeneratorMessage, GeneratorRequest } from '../messages.ts';
import { prepareTarget } from './prepare-target.ts';
import type { PreparedTarget } from './requests.ts';
import { type GeneratorCounters, type GeneratorRun, startGeneratorRun } from './run.ts';

/** The generator process: answers the driver over IPC, and ends when the driver does. */

const counters: GeneratorCounters = { sentBytes: 0, receivedBytes: 0, activity: 0, spinNs: 0 };
let prepared: { readonly target: PreparedTarget; readonly timeoutMs: number } | undefined;
let run: GeneratorRun | undefined;

// Ctrl-C reaches every process of the terminal; the driver decides when this one stops.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (call: Call) => {
  handle(call.request).then(
    (value) => tell({ type: 'answer', id: call.id, value }),
    (error: unknown) => tell({ type: 'refusal', id: call.id, problems: problemsOf(error) }),
  );
});
tell({ type: 'ready' });

function tell(message: GeneratorMessage): void {
  // The channel may close while a message is on its way; `disconnect` then ends the process.
  process.send?.(message, undefined, undefined, () => {});
}

async function handle(request: GeneratorRequest): Promise<GeneratorAnswers[GeneratorRequest['type']]> {
  switch (request.type) {
    case 'prepare':
      prepared = { target: await prepareTarget(request.target), timeoutMs: request.timeoutMs };
      return null;
    case 'start': {
      if (prepared === undefined) {
        throw new LoadError({ what: 'nothing was prepared for this load', hint: 'Call prepare with a target first.' });
      }
      run = await startGeneratorRun({
        ...prepared,
        load: request.load,
        counters,
        onRecords: (records) => tell({ type: 'records', records }),
      });
      return { startedAtNs: run.startedAtNs };
    }
    case 'stop':
      await run?.stop();
      run = undefined;
      return null;
    case 'usage': {
      run?.countTraffic();
      const { user, system } = process.cpuUsage();
      return {
        atNs: monotonicNs(),
        cpuTimeUs: user + system,
        spinTimeUs: counters.spinNs / NS_PER_US,
        serverRxBytes: counters.sentBytes,
        serverTxBytes: counters.receivedBytes,
      };
    }
  }
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof DseError) return error.problems;
  return [
    { what: `the load generator failed: ${messageOf(error)}`, hint: 'This is a fault in dse; please report it.' },
  ];
}
