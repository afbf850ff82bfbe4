import { describe, expect, onTestFinished, test } from 'vitest';
import { concatRecords, createArrivalProcess, createLoadDriver, summarizeRequests } from '../../src/load/index.ts';
import type { LoadDriver, LoadTarget, OfferedLoad, Protocol, RequestRecords } from '../../src/load/types.ts';
import { onQuietMachine } from '../quiet-machine.ts';
import { lindleyWaits } from './lindley.ts';
import { countOutcomes, offer, startTestServer, type TestServer } from './load-rig.ts';

const PROTOCOLS: readonly Protocol[] = ['rest-json', 'rest-binary', 'grpc', 'image'];

function targetOf(protocol: Protocol, url: string): LoadTarget {
  return {
    kind: 'kserve',
    url,
    grpcAddress: protocol === 'grpc' ? url : undefined,
    modelName: 'fixed',
    protocol,
    batch: 1,
    inputs: [{ name: 'x', type: 'float32', shape: protocol === 'image' ? ['n', 1, 4, 4] : ['n', 16] }],
    image: { channels: 'grey', layout: 'nchw', kernel: 'linear', scale: 1, mean: [0], std: [1] },
    dims: {},
    dataset: undefined,
    seed: 1,
  };
}

async function start(
  protocol: Protocol,
  serviceMs: number,
  timeoutMs = 5000,
): Promise<{ driver: LoadDriver; server: TestServer }> {
  const server = await startTestServer(protocol === 'grpc' ? 'fixed-service-grpc' : 'fixed-service-rest', [serviceMs]);
  const driver = await createLoadDriver();
  onTestFinished(async () => {
    await driver[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  await driver.prepare(targetOf(protocol, server.url), { timeoutMs });
  return { driver, server };
}

const openLoad = (rateRps: number, connections = 32): Extract<OfferedLoad, { kind: 'open' }> => ({
  kind: 'open',
  rateRps,
  arrivals: 'poisson',
  seed: 11,
  connections,
});

describe.each(PROTOCOLS)('a load over %s', (protocol) => {
  test('sends every request of its seeded schedule once, never before its time, and takes its times from the server', async () => {
    const { driver } = await start(protocol, 1);
    const batches: RequestRecords[] = [];
    const load = openLoad(150);
    const before = await driver.readUsage();
    const run = await driver.start(load, (records) => batches.push(records));
    await expect.poll(() => countOutcomes(concatRecords(batches)).ok ?? 0, { timeout: 10_000 }).toBeGreaterThan(70);
    await run.stop();
    const after = await driver.readUsage();
    const records = concatRecords(batches);
    const intendedS = [...records.intendedNs].map((ns) => (ns - run.startedAtNs) / 1e9).sort((a, b) => a - b);
    const schedule = createArrivalProcess(load);
    expect(intendedS.length).toBeGreaterThan(70);
    for (const timeS of intendedS) expect(timeS).toBeCloseTo(schedule.nextS(), 6);
    const { ok = 0, unanswered = 0 } = countOutcomes(records);
    expect(ok + unanswered).toBe(records.count);
    for (let row = 0; row < records.count; row++) {
      if (Number.isNaN(records.sentNs[row])) continue;
      expect(records.sentNs[row]).toBeGreaterThanOrEqual(records.intendedNs[row] as number);
      // One millisecond of service lies between.
      expect((records.doneNs[row] as number) - (records.sentNs[row] as number)).toBeGreaterThan(0.9e6);
      expect(records.computeUs[row]).toBeCloseTo(1000, 0);
      expect(records.queueUs[row]).toBeGreaterThanOrEqual(0);
    }
    // 16 floats or pixels a request, and what the protocol puts around them.
    expect((after.serverRxBytes - before.serverRxBytes) / ok).toBeGreaterThan(64);
    expect((after.serverTxBytes - before.serverTxBytes) / ok).toBeGreaterThan(20);
    expect((after.serverRxBytes - before.serverRxBytes) / ok).toBeLessThan(2000);
  });

  test('gives up what takes longer than the timeout, and counts it at the timeout', async () => {
    const { driver } = await start(protocol, 400, 100);
    const records = await offer(driver, { kind: 'closed', concurrency: 2 }, 0.5);
    expect(countOutcomes(records)).toEqual({ timeout: records.count });
    for (let row = 0; row < records.count; row++) {
      expect((records.doneNs[row] as number) - (records.intendedNs[row] as number)).toBe(100e6);
    }
  });

  test('against a server that is gone is refused, and ends', async () => {
    const { driver, server } = await start(protocol, 1, 1000);
    await server.kill();
    const records = await offer(driver, { kind: 'closed', concurrency: 2 }, 0.5);
    expect(records.count).toBeGreaterThan(1);
    expect(countOutcomes(records)).toEqual({ refused: records.count });
  });
});

/** Four protocols in up to three attempts. */
const COMPARED_TIMEOUT_MS = 80_000;

test(
  'a server with a fixed service time shows through every protocol the distribution that theory gives for its schedule',
  async (context) => {
    const serviceMs = 10;
    const drivers = new Map<Protocol, LoadDriver>();
    for (const protocol of PROTOCOLS) {
      const { driver } = await start(protocol, serviceMs);
      await offer(driver, { kind: 'closed', concurrency: 4 }, 0.3);
      drivers.set(protocol, driver);
    }
    await onQuietMachine(context, async () => {
      for (const [protocol, driver] of drivers) {
        // One client alone: the service, the protocol's own work on the server's one thread, and the way there and back.
        const alone = latenciesOf(await offer(driver, { kind: 'closed', concurrency: 1 }, 1));
        const [ownMs = 0] = quantilesOf(alone.latenciesMs, [0.5]);
        expect(ownMs, protocol).toBeGreaterThan(serviceMs);
        expect(ownMs, protocol).toBeLessThan(serviceMs + 4);

        const records = await offer(driver, openLoad(30), 2.5);
        const { intendedMs, latenciesMs } = latenciesOf(records);
        const theory = quantilesOf(lindleyWaits(intendedMs, ownMs).map((waitMs) => waitMs + ownMs));
        for (const [index, latencyMs] of quantilesOf(latenciesMs).entries()) {
          const excessMs = latencyMs - (theory[index] as number);
          expect(Math.abs(excessMs), `${protocol}, quantile ${QUANTILES[index]}`).toBeLessThan(4);
        }
        const { responses } = summarizeRequests(records, {
          startNs: Math.min(...records.intendedNs),
          endNs: Number.MAX_SAFE_INTEGER,
          timeoutMs: 5000,
        });
        expect(responses.compute_ms).toBeCloseTo(serviceMs, 2);
      }
    });
  },
  COMPARED_TIMEOUT_MS,
);

const QUANTILES = [0.25, 0.5, 0.75];

/** Of the requests that were answered, in the order they were to be sent. */
function latenciesOf(records: RequestRecords): { intendedMs: number[]; latenciesMs: number[] } {
  const { ok = 0 } = countOutcomes(records);
  const answered = Array.from(records.intendedNs, (intendedNs, row) => ({ intendedNs, row }))
    .sort((a, b) => a.intendedNs - b.intendedNs)
    .slice(0, ok);
  return {
    intendedMs: answered.map(({ intendedNs }) => intendedNs / 1e6),
    latenciesMs: answered.map(({ intendedNs, row }) => ((records.doneNs[row] as number) - intendedNs) / 1e6),
  };
}

function quantilesOf(values: readonly number[], quantiles: readonly number[] = QUANTILES): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return quantiles.map((q) => sorted[Math.floor(q * sorted.length)] ?? Number.NaN);
}
