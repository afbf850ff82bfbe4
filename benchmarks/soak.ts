/**
 * A server under high load while another of its models is loaded and unloaded all the time: no request fails, and memory stops growing.
 *
 * The load is a closed loop of eight clients on the small MNIST model, with dynamic batching, two instances and a cache; every two seconds a second model is loaded or
 * unloaded. Every ten seconds one line: resident memory of the server, requests answered and errors so far. Ends with 1 where any request failed, or where the largest
 * resident memory after the first minute (or the first tenth of a shorter run) exceeds the largest within it by over 5 %.
 *
 * Needs Linux (taskset, /proc), two CPUs and a build (`npm run build`). Usage: soak.ts [seconds, 600]
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLoadDriver } from '../src/load/index.ts';
import { OUTCOME, type RequestRecords } from '../src/load/types.ts';
import { BYTES_PER_MB } from '../src/units.ts';
import { getModel, PLAIN_ENGINE, pinSelf, printRow, startOnCpu0 } from './serving-rig.ts';

const LIMIT_GROWTH = 0.05;
const CHANGE_EVERY_MS = 2_000;
const LINE_EVERY_S = 10;

const totalS = Number(process.argv[2] ?? 600);
const settledS = Math.min(60, totalS / 4);
pinSelf();
const [model, other] = [await getModel('mnist-cnn'), await getModel('squeezenet1.1')];
const serving = {
  engine: PLAIN_ENGINE,
  instances: 2,
  batching: { maxBatch: 8, maxQueueDelayMs: 0 },
  cache: { entries: 8 },
};
await using server = await startOnCpu0({
  models: [
    { name: 'm', file: model.file, ...serving },
    { name: 'other', file: other.file, engine: PLAIN_ENGINE },
  ],
});
await using driver = await createLoadDriver({ cpuset: '1' });
const target = { kind: 'kserve', url: server.url, modelName: 'm', protocol: 'rest-binary', batch: 1 } as const;
const inputs = { inputs: model.inputs, dims: model.dims, dataset: undefined };
await driver.prepare({ ...target, ...inputs, seed: 1, popularity: { kind: 'uniform' } }, { timeoutMs: 10_000 });

const counts = { answered: 0, failed: 0, changes: 0, failedChanges: 0 };
const run = await driver.start({ kind: 'closed', concurrency: 8 }, count);
const startMs = performance.now();
const elapsedS = () => (performance.now() - startMs) / 1e3;
const largestMb = { settling: 0, settled: 0 };
let nextLineS = 0;
printRow('s', 'MB', 'answered', 'failed', 'changes');
while (elapsedS() < totalS) {
  await change(counts.changes % 2 === 0 ? 'unload' : 'load');
  const mb = residentMb();
  const phase = elapsedS() < settledS ? 'settling' : 'settled';
  largestMb[phase] = Math.max(largestMb[phase], mb);
  if (elapsedS() >= nextLineS) {
    nextLineS += LINE_EVERY_S;
    printRow(elapsedS(), mb, counts.answered, counts.failed, counts.changes);
  }
  await sleep(CHANGE_EVERY_MS);
}
await run.stop();
const growth = largestMb.settled / largestMb.settling - 1;
console.log(
  `${counts.answered} requests answered, ${counts.failed} failed; ${counts.changes} loads and unloads, ${counts.failedChanges} failed; ` +
    `memory grew by ${(growth * 100).toFixed(1)} % after the first ${settledS} s (limit ${LIMIT_GROWTH * 100} %)`,
);
process.exitCode = counts.failed + counts.failedChanges === 0 && growth < LIMIT_GROWTH ? 0 : 1;

function count({ outcome }: RequestRecords): void {
  const answered = outcome.filter((one) => one === OUTCOME.ok).length;
  counts.answered += answered;
  counts.failed += outcome.length - answered;
}

async function change(what: 'load' | 'unload'): Promise<void> {
  const { ok } = await fetch(`${server.url}/v2/repository/models/other/${what}`, { method: 'POST' });
  counts.changes++;
  if (!ok) counts.failedChanges++;
}

function residentMb(): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
  return (Number(kb) * 1024) / BYTES_PER_MB;
}
