import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createArrivalProcess, createLoadDriver, type LoadDriverOptions } from '../../src/load/index.ts';
import type { OfferedLoad, RequestRecords } from '../../src/load/types.ts';
import { OUTCOME } from '../../src/load/types.ts';
import { countOutcomes, httpTarget, offer, startTestServer } from './load-rig.ts';

async function startDriver(options: LoadDriverOptions = {}) {
  const driver = await createLoadDriver(options);
  onTestFinished(() => driver[Symbol.asyncDispose]());
  return driver;
}

async function startServer(...args: Parameters<typeof startTestServer>) {
  const server = await startTestServer(...args);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const openLoad = (rateRps: number, connections = 32): Extract<OfferedLoad, { kind: 'open' }> => ({
  kind: 'open',
  rateRps,
  arrivals: 'poisson',
  seed: 7,
  connections,
});

describe('an open loop', () => {
  test('sends every request of its seeded schedule, once and never before its time', async () => {
    const server = await startServer('fixed-service', 1);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 5000 });
    const batches: RequestRecords[] = [];
    const load = openLoad(200);
    const run = await driver.start(load, (records) => batches.push(records));
    await sleep(1000);
    await run.stop();
    const intendedS = batches
      .flatMap((batch) => [...batch.intendedNs])
      .map((intendedNs) => (intendedNs - run.startedAtNs) / 1e9)
      .sort((a, b) => a - b);
    const schedule = createArrivalProcess(load);
    expect(intendedS.length).toBeGreaterThan(100);
    for (const timeS of intendedS) expect(timeS).toBeCloseTo(schedule.nextS(), 6);
    for (const { count, intendedNs, sentNs, doneNs } of batches) {
      for (let row = 0; row < count; row++) {
        expect(sentNs[row]).toBeGreaterThanOrEqual(intendedNs[row] ?? Number.NaN);
        expect(doneNs[row]).toBeGreaterThan(sentNs[row] ?? Number.NaN);
      }
    }
  });

  test('keeps the intended times of requests that wait for a client', async () => {
    const server = await startServer('fixed-service', 20);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 5000 });
    const records = await offer(driver, { ...openLoad(100, 2), arrivals: 'constant' }, 1);
    expect(records.count).toBeGreaterThanOrEqual(98);
    const waited = [...records.waitedForClient].filter((flag) => flag === 1).length;
    expect(waited / records.count).toBeGreaterThan(0.8);
    // 100 requests/s against a server of 50 requests/s: the last ones wait for half of the schedule.
    const longestNs = Math.max(
      ...records.doneNs.map((doneNs, row) => doneNs - (records.intendedNs[row] ?? Number.NaN)),
    );
    expect(longestNs).toBeGreaterThan(0.4e9);
  });
});

test('requests add up to their outcomes under a server that delays, breaks, fails, babbles and falls silent', async () => {
  const server = await startServer('moody', 3);
  const driver = await startDriver();
  await driver.prepare(httpTarget(server.url), { timeoutMs: 300 });
  for (const load of [openLoad(400, 64), { kind: 'closed', concurrency: 16 }] as const) {
    const before = await countRead(server.url);
    const records = await offer(driver, load, 1.5);
    const read = (await countRead(server.url)) - before;
    const outcomes = countOutcomes(records);
    const sent = [...records.sentNs].filter((sentNs) => !Number.isNaN(sentNs)).length;
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(records.count);
    // Each request that was sent was read by the server once, and no other was.
    expect(sent).toBe(read);
    for (const kind of ['ok', 'timeout', 'reset', 'http4xx', 'http5xx', 'malformed'] as const) {
      expect(outcomes[kind], `${load.kind} ${kind}`).toBeGreaterThan(0);
    }
    for (let row = 0; row < records.count; row++) {
      const tookNs = (records.doneNs[row] ?? Number.NaN) - (records.intendedNs[row] ?? Number.NaN);
      if (records.outcome[row] === OUTCOME.timeout) expect(tookNs).toBeCloseTo(300e6, -3);
      else expect(tookNs).toBeLessThanOrEqual(300e6);
    }
  }

  async function countRead(url: string): Promise<number> {
    return Number(await (await fetch(`${url}count`)).text());
  }
});
