import { describe, expect, onTestFinished, test } from 'vitest';
import { createLoadDriver, summarizeRequests } from '../../src/load/index.ts';
import type { LoadDriver, RequestRecords } from '../../src/load/types.ts';
import { onQuietMachine } from '../quiet-machine.ts';
import { lindleyWaits, roundTripsMs } from './lindley.ts';
import { countOutcomes, httpTarget, offer, startTestServer } from './load-rig.ts';

const SERVICE_MS = 15;

async function start(...args: readonly number[]): Promise<LoadDriver> {
  const server = await startTestServer('fixed-service', args);
  const driver = await createLoadDriver();
  onTestFinished(async () => {
    await driver[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  await driver.prepare(httpTarget(server.url), { timeoutMs: 10_000 });
  // Compilation on both sides is not what is measured.
  await offer(driver, { kind: 'closed', concurrency: 4 }, 0.5);
  return driver;
}

function inOrder(records: RequestRecords): readonly { readonly intendedMs: number; readonly latencyMs: number }[] {
  return Array.from(records.intendedNs, (intendedNs, row) => ({
    intendedMs: intendedNs / 1e6,
    latencyMs: ((records.doneNs[row] ?? Number.NaN) - intendedNs) / 1e6,
  })).sort((a, b) => a.intendedMs - b.intendedMs);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

test("Lindley's recursion comes to the long-run mean of M/D/1", () => {
  // A second formula for what the tests below hold the measurement against: rho * S / (2 (1 - rho)).
  let state = 1;
  const uniform = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  let now = 0;
  const arrivals = Array.from({ length: 400_000 }, () => {
    now -= Math.log(uniform()) / 0.7;
    return now;
  });
  expect(mean(lindleyWaits(arrivals, 1))).toBeCloseTo(0.7 / (2 * 0.3), 1);
});

describe('one worker with a fixed service time under Poisson arrivals', () => {
  test.for([0.5, 0.7, 0.85])(
    'makes each request wait as queueing theory says, at utilisation %s',
    async (utilisation, context) => {
      const driver = await start(SERVICE_MS);
      await onQuietMachine(context, async () => {
        const rateRps = (utilisation * 1000) / SERVICE_MS;
        const records = await offer(
          driver,
          { kind: 'open', rateRps, arrivals: 'poisson', seed: 42, connections: 64 },
          2.5,
        );
        const { ok = 0, unanswered = 0 } = countOutcomes(records);
        expect(ok + unanswered).toBe(records.count);
        // What came due in the moment of the stop was not sent.
        const requests = inOrder(records).slice(0, ok);
        const expectedMs = lindleyWaits(
          requests.map(({ intendedMs }) => intendedMs),
          SERVICE_MS,
        );
        const excessMs = requests.map(({ latencyMs }) => latencyMs - SERVICE_MS);
        const waysMs = roundTripsMs(excessMs, expectedMs);
        const wayMs = median(waysMs);
        expect(wayMs).toBeLessThan(1);
        const measuredMs = excessMs.map((excess) => excess - wayMs);
        const errorsMs = measuredMs.map((waitMs, index) => Math.abs(waitMs - (expectedMs[index] ?? Number.NaN)));
        expect(median(errorsMs)).toBeLessThan(0.5);
        // Of the whole latency: in so short a run the mean wait at half load is a few milliseconds.
        expect(Math.abs(mean(excessMs) - mean(waysMs) - mean(expectedMs))).toBeLessThan(
          0.05 * (mean(expectedMs) + SERVICE_MS),
        );
      });
    },
  );
});

// Three attempts of two loads each.
const STALL_TIMEOUT_MS = 60_000;

test(
  'a server that stalls for a second shows it in p99 from the intended times, where a closed loop hides it',
  async (context) => {
    const tailOf = async (load: 'open' | 'closed') => {
      const driver = await start(2, 1200, 1000);
      const records = await offer(
        driver,
        load === 'open'
          ? { kind: 'open', rateRps: 200, arrivals: 'poisson', seed: 4, connections: 64 }
          : { kind: 'closed', concurrency: 1 },
        3.5,
      );
      const window = { startNs: Math.min(...records.intendedNs), endNs: Number.MAX_SAFE_INTEGER, timeoutMs: 10_000 };
      return summarizeRequests(records, window);
    };
    await onQuietMachine(context, async () => {
      const { responses: open } = await tailOf('open');
      const { responses: closed } = await tailOf('closed');
      // A quarter of the open loop's requests fell into the stall or its aftermath; one request of the closed loop did.
      expect(open.latency_p99_ms).toBeGreaterThan(900);
      expect(open.latency_max_ms).toBeLessThan(1200);
      expect(closed.latency_p99_ms).toBeLessThan(100);
      expect(closed.latency_max_ms).toBeGreaterThan(900);
    });
  },
  STALL_TIMEOUT_MS,
);

test('on a free CPU requests leave within 1 ms of their time at 500 requests/s, and no earlier', async (context) => {
  const server = await startTestServer('fixed-service', [0]);
  const driver = await createLoadDriver();
  onTestFinished(async () => {
    await driver[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  await driver.prepare(httpTarget(server.url), { timeoutMs: 5000 });
  await offer(driver, { kind: 'open', rateRps: 500, arrivals: 'poisson', seed: 1, connections: 32 }, 0.5);
  await onQuietMachine(context, async () => {
    const records = await offer(
      driver,
      { kind: 'open', rateRps: 500, arrivals: 'poisson', seed: 1, connections: 32 },
      2,
    );
    const window = { startNs: Math.min(...records.intendedNs), endNs: Number.MAX_SAFE_INTEGER, timeoutMs: 5000 };
    const { responses, lateShare } = summarizeRequests(records, window);
    const tooEarly = [...records.sentNs].filter((sentNs, row) => sentNs < (records.intendedNs[row] ?? Number.NaN));
    expect(tooEarly).toEqual([]);
    expect(responses.send_lag_p50_ms).toBeLessThan(0.2);
    expect(responses.send_lag_p99_ms).toBeLessThan(1);
    expect(lateShare).toBeLessThan(0.01);
  });
});
