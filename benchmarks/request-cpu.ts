/**
 * CPU time that the server adds to a request of a tiny model, in echoes: what it takes beyond a bare run of the model, over what a bare `node:http` server takes to read the same
 * bytes and send them back.
 *
 * The server (rest-binary), the echo (`echo-server.ts`) and the bare loop (`bare-loop.ts`) take turns of a second on CPU 0; the load is a closed loop of two clients on CPU 1, the same
 * for both servers. CPU time is that of all threads of a process. Prints medians over the rounds and the ratio with its interval; ends with 1 where it exceeds 2.
 *
 * Needs Linux (taskset, schedstat), two CPUs and a build (`npm run build`). Usage: request-cpu.ts [rounds, 10]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeInferRequest } from '../src/kserve/index.ts';
import { concatRecords, createLoadDriver } from '../src/load/index.ts';
import { type LoadDriver, OUTCOME, type RequestRecords } from '../src/load/types.ts';
import { makeSampleBatches, type ResolvedModel } from '../src/models/index.ts';
import { monotonicNs } from '../src/units.ts';
import { cpuTimeMs, medianWithin, startBareLoop, startEchoServer } from './bare-rig.ts';
import { getModel, medianOf, PLAIN_ENGINE, pinSelf, printRow, startOnCpu0 } from './serving-rig.ts';

const LIMIT = 2;
const MODEL = 'mnist-cnn';
const TURN_S = 1;
const LEAD_MS = 200;
/** Until code that every request runs is compiled. */
const COMPILE_S = 5;

const rounds = Number(process.argv[2] ?? 10);
pinSelf();
const model = await getModel(MODEL);
await using bare = await startBareLoop(MODEL);
await using server = await startOnCpu0({ models: [{ name: 'm', file: model.file, engine: PLAIN_ENGINE }] });
await using echo = await startEchoServer();
await using toServer = await prepare(`${server.url}/v2/models/m/infer`, model);
await using toEcho = await prepare(echo.url, model);
await cpuMsEach(toServer, server.pid, COMPILE_S);
await cpuMsEach(toEcho, echo.pid, COMPILE_S);
const rows: { readonly bare: number; readonly echo: number; readonly served: number }[] = [];
for (let round = 0; round < rounds; round++) {
  rows.push({
    bare: (await bare.run({ seconds: TURN_S, inputs: 'fresh' })).cpuMsEach,
    echo: await cpuMsEach(toEcho, echo.pid, TURN_S),
    served: await cpuMsEach(toServer, server.pid, TURN_S),
  });
}
const { median, lo, hi } = medianWithin(rows.map((row) => (row.served - row.bare) / row.echo));
printRow('bare ms', 'echo ms', 'served ms', 'added ms');
printRow(
  medianOf(rows.map((row) => row.bare)),
  medianOf(rows.map((row) => row.echo)),
  medianOf(rows.map((row) => row.served)),
  medianOf(rows.map((row) => row.served - row.bare)),
);
console.log(
  `${MODEL}: the server adds ${median.toFixed(2)} [${lo.toFixed(2)}, ${hi.toFixed(2)}] times the CPU time of an echo (limit ${LIMIT})`,
);
process.exitCode = median <= LIMIT ? 0 : 1;

async function prepare(url: string, { inputs, dims }: ResolvedModel): Promise<LoadDriver> {
  const driver = await createLoadDriver({ cpuset: '1' });
  const [sample] = makeSampleBatches(inputs, { batch: 1, count: 1, seed: 1, dims });
  const { headers, body } = encodeInferRequest('rest-binary', sample?.tensors ?? []);
  await driver.prepare({ kind: 'http', url, method: 'POST', headers, body }, { timeoutMs: 10_000 });
  return driver;
}

async function cpuMsEach(driver: LoadDriver, pid: number, seconds: number): Promise<number> {
  const batches: RequestRecords[] = [];
  const run = await driver.start({ kind: 'closed', concurrency: 2 }, (records) => batches.push(records));
  await sleep(LEAD_MS);
  const [startNs, cpuBefore] = [monotonicNs(), cpuTimeMs(pid)];
  await sleep(1e3 * seconds);
  const [endNs, cpuAfter] = [monotonicNs(), cpuTimeMs(pid)];
  await run.stop();
  const { doneNs, outcome } = concatRecords(batches);
  if (outcome.some((one) => one !== OUTCOME.ok)) throw new Error('a request failed');
  return (cpuAfter - cpuBefore) / doneNs.filter((ns) => ns >= startNs && ns < endNs).length;
}
