/**
 * What a gateway in between costs: the same load sent directly and through it, turn about, in one run. Server and gateway on CPU 0, the load on CPU 1.
 *
 * - Throughput: closed loop of four clients, through the gateway over directly; median over rounds.
 * - Latency: open loop with constant gaps at 30 % of what goes through the gateway; p50 and p99 through it minus the same directly; median over rounds.
 *
 * The code of both has been compiled before, by requests for a model of the same inputs that hardly computes (`light-twin.ts`).
 * For a model of which inference takes long beside what is sent (SqueezeNet 1.1, 600 KB a request) the throughput left is to be at least 0.9; server and gateway share one
 * CPU here, so that the gateway's work is taken from the server's. A tiny model shows the cost of a request by itself.
 *
 * Needs Linux (taskset), two CPUs and a build (`npm run build`). Usage: gateway-overhead.ts [model, squeezenet1.1] [seconds a run, 3] [rounds, 3]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { GatewaySettings } from '../src/gateway/types.ts';
import type { RequestSummary } from '../src/load/index.ts';
import type { LoadDriver, OfferedLoad } from '../src/load/types.ts';
import { compiledEntry } from '../src/package-files.ts';
import type { ListeningLine } from '../src/server/index.ts';
import { compileBy, lightTwinOf, ON_THREADS } from './light-twin.ts';
import {
  aimAt,
  getModel,
  medianOf,
  offer,
  PLAIN_ENGINE,
  pinSelf,
  prepareLoad,
  printRow,
  startOnCpu0,
} from './serving-rig.ts';

const LIMIT_THROUGHPUT = 0.9;
const LOAD_SHARE = 0.3;

const [modelName = 'squeezenet1.1', secondsText = '3', roundsText = '3'] = process.argv.slice(2);
const [seconds, rounds] = [Number(secondsText), Number(roundsText)];
pinSelf();
const model = await getModel(modelName);
const twin = await lightTwinOf(model);
await using server = await startOnCpu0({
  models: [
    { name: 'm', file: model.file, engine: PLAIN_ENGINE },
    { name: 'twin', file: twin.file, ...ON_THREADS },
  ],
});
await using gateway = await startGatewayOnCpu0(server.url);
await using direct = await prepare(server);
await using through = await prepare(gateway);

const ratios: number[] = [];
const added = { p50: [] as number[], p99: [] as number[] };
printRow('', 'full rps', 'at rps', 'p50 ms', 'p99 ms');
for (let round = 0; round < rounds; round++) {
  const full = { direct: await closed(direct), through: await closed(through) };
  ratios.push(full.through / full.direct);
  const rateRps = LOAD_SHARE * full.through;
  const load: OfferedLoad = { kind: 'open', rateRps, arrivals: 'constant', seed: round, connections: 64 };
  // A p99 needs 662 requests.
  const lengthS = Math.max(seconds, (700 / rateRps) * 1.2);
  const part = { direct: await offer(direct, load, lengthS), through: await offer(through, load, lengthS) };
  for (const way of ['direct', 'through'] as const) {
    printRow(way, full[way], rateRps, latencyOf(part[way], 'p50'), latencyOf(part[way], 'p99'));
  }
  for (const at of ['p50', 'p99'] as const) added[at].push(latencyOf(part.through, at) - latencyOf(part.direct, at));
}
const ratio = medianOf(ratios);
console.log(
  `${modelName}: through the gateway ${ratio.toFixed(3)} of the direct throughput (limit ${LIMIT_THROUGHPUT} for squeezenet1.1), ` +
    `p50 +${medianOf(added.p50).toFixed(3)} ms, p99 +${medianOf(added.p99).toFixed(3)} ms`,
);
process.exitCode = modelName !== 'squeezenet1.1' || ratio >= LIMIT_THROUGHPUT ? 0 : 1;

async function startGatewayOnCpu0(url: string): Promise<AsyncDisposable & { readonly url: string }> {
  const settings: GatewaySettings = {
    ...{ host: '127.0.0.1', port: 0, seed: 1, upstreams: [{ name: 'a', url }], exitOnStdinEnd: true },
    ...{ pollIntervalMs: 1_000, pollTimeoutMs: 2_000, timeoutMs: 10_000, bodyLimitBytes: 256e6, drainTimeoutMs: 1_000 },
  };
  const args = ['-c', '0', process.execPath, compiledEntry('gateway/main'), JSON.stringify(settings)];
  const child = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url: (JSON.parse(line) as ListeningLine).url,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** A load generator for the server behind an address, the code on the way to it compiled. */
async function prepare(at: { readonly url: string }): Promise<LoadDriver> {
  const driver = await prepareLoad(at, model);
  await aimAt(driver, at, 'twin', model);
  await compileBy(driver);
  await aimAt(driver, at, 'm', model);
  await offer(driver, { kind: 'closed', concurrency: 2 }, 1);
  return driver;
}

async function closed(driver: LoadDriver): Promise<number> {
  return (await offer(driver, { kind: 'closed', concurrency: 4 }, seconds)).achievedRps;
}

function latencyOf({ responses }: RequestSummary, at: 'p50' | 'p99'): number {
  return responses[`latency_${at}_ms`] ?? Number.NaN;
}
