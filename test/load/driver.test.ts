import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseCpuList } from '../../src/cpu-list.ts';
import { LoadError } from '../../src/errors.ts';
import {
  concatRecords,
  createArrivalProcess,
  createLoadDriver,
  type LoadDriverOptions,
  summarizeRequests,
} from '../../src/load/index.ts';
import type { OfferedLoad, RequestRecords } from '../../src/load/types.ts';
import { OUTCOME } from '../../src/load/types.ts';
import { compiledEntry } from '../../src/package-files.ts';
import { monotonicNs, NS_PER_MS } from '../../src/units.ts';
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
    const server = await startServer('fixed-service', [1]);
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
    const server = await startServer('fixed-service', [20]);
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

describe('a closed loop', () => {
  test('keeps as many requests in flight as it has clients', async () => {
    const server = await startServer('fixed-service', [5]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 5000 });
    const records = await offer(driver, { kind: 'closed', concurrency: 4 }, 1);
    expect(countOutcomes(records)).toEqual({ ok: records.count });
    const startNs = Math.min(...records.intendedNs);
    const { meanInSystem, responses } = summarizeRequests(records, {
      startNs: startNs + 0.2e9,
      endNs: startNs + 0.9e9,
      timeoutMs: 5000,
    });
    expect(meanInSystem).toBeGreaterThan(3.8);
    expect(meanInSystem).toBeLessThanOrEqual(4);
    // One worker: each request waits for the three before it.
    expect(responses.queue_ms).toBeGreaterThan(10);
    expect(responses.compute_ms).toBeCloseTo(5, 3);
  });
});

describe('a server that is gone', () => {
  test('is asked once for each request of the schedule', async () => {
    const server = await startServer('fixed-service', [1]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 1000 });
    await server.kill();
    const records = await offer(driver, { ...openLoad(200), arrivals: 'constant' }, 0.5);
    expect(records.count).toBeGreaterThan(90);
    const { refused = 0, unanswered = 0 } = countOutcomes(records);
    expect(refused + unanswered).toBe(records.count);
    // At most what came due in the moment of the stop.
    expect(unanswered).toBeLessThan(5);
  });

  test('is asked ten times a second by each client of a closed loop, and the generator rests in between', async () => {
    const server = await startServer('fixed-service', [1]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 1000 });
    await server.kill();
    const before = await driver.readUsage();
    const records = await offer(driver, { kind: 'closed', concurrency: 8 }, 1);
    const after = await driver.readUsage();
    expect(countOutcomes(records)).toEqual({ refused: records.count });
    expect(records.count).toBeGreaterThanOrEqual(8);
    expect(records.count).toBeLessThanOrEqual(8 * 11);
    expect(after.serverRxBytes - before.serverRxBytes).toBe(0);
  });

  test('in the middle of a load leaves broken requests behind, and the generator alive', async () => {
    const server = await startServer('fixed-service', [20]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 1000 });
    const batches: RequestRecords[] = [];
    const run = await driver.start(openLoad(100), (records) => batches.push(records));
    await expect.poll(() => concatRecords(batches).count, { timeout: 5000 }).toBeGreaterThan(10);
    await server.kill();
    await sleep(300);
    await run.stop();
    const outcomes = countOutcomes(concatRecords(batches));
    expect(outcomes.ok).toBeGreaterThan(0);
    expect(outcomes.reset).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(0);
    expect((await driver.readUsage()).cpuTimeUs).toBeGreaterThan(0);
  });
});

describe('a stop', () => {
  test('waits for what is in flight and hands over what was due and never sent', async () => {
    const server = await startServer('fixed-service', [50]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 5000 });
    const batches: RequestRecords[] = [];
    const run = await driver.start({ ...openLoad(100, 2), arrivals: 'constant' }, (records) => batches.push(records));
    await sleep(500);
    const stoppedNs = monotonicNs();
    await run.stop();
    await run.ended;
    const records = concatRecords(batches);
    const outcomes = countOutcomes(records);
    expect(outcomes.ok).toBeGreaterThanOrEqual(8);
    expect(outcomes.unanswered).toBeGreaterThan(20);
    expect(records.count).toBeGreaterThanOrEqual(48);
    for (let row = 0; row < records.count; row++) {
      if (records.outcome[row] !== OUTCOME.unanswered) continue;
      expect(records.sentNs[row]).toBeNaN();
      expect(records.doneNs[row]).toBeGreaterThanOrEqual(stoppedNs);
    }
    await sleep(200);
    expect(concatRecords(batches).count).toBe(records.count);
  });

  test('ends with the timeout where the server never answers, and the driver can be used again', async () => {
    const silent = await startServer('fixed-service', [60_000]);
    const quick = await startServer('fixed-service', [1]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(silent.url), { timeoutMs: 300 });
    const unanswered = await offer(driver, { kind: 'closed', concurrency: 3 }, 0.1);
    expect(countOutcomes(unanswered)).toEqual({ timeout: 3 });
    await driver.prepare(httpTarget(quick.url), { timeoutMs: 300 });
    const answered = await offer(driver, { kind: 'closed', concurrency: 3 }, 0.3);
    expect(countOutcomes(answered)).toEqual({ ok: answered.count });
  });

  test('may be asked for twice', async () => {
    const server = await startServer('fixed-service', [1]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 1000 });
    const run = await driver.start({ kind: 'closed', concurrency: 1 }, () => {});
    await Promise.all([run.stop(), run.stop()]);
    await run.stop();
  });
});

test('a client that timed out is usable again: a server that stalls once answers everything after it', async () => {
  const server = await startServer('fixed-service', [2, 200, 600]);
  const driver = await startDriver();
  await driver.prepare(httpTarget(server.url), { timeoutMs: 250 });
  const records = await offer(driver, { kind: 'closed', concurrency: 2 }, 1.5);
  const outcomes = countOutcomes(records);
  expect(outcomes.timeout).toBeGreaterThanOrEqual(2);
  expect(outcomes.ok).toBeGreaterThan(100);
  expect((outcomes.timeout ?? 0) + (outcomes.ok ?? 0)).toBe(records.count);
});

describe('a load beside another, from the same process', () => {
  test('has its own target, records and traffic, and time in which both wait counts once', async () => {
    const [first, second] = [await startServer('fixed-service', [1]), await startServer('fixed-service', [30])];
    const driver = await startDriver();
    const beside = driver.openBeside();
    expect(beside.pid).toBe(driver.pid);
    await driver.prepare(httpTarget(first.url), { timeoutMs: 1000 });
    await beside.prepare(httpTarget(second.url), { timeoutMs: 1000 });
    const open = { kind: 'open', rateRps: 20, arrivals: 'constant', connections: 4, spin: 'always' } as const;
    const before = await driver.readUsage();
    const [quick, slow] = await Promise.all([
      offer(driver, { ...open, seed: 1 }, 0.6),
      offer(beside, { ...open, seed: 2 }, 0.6),
    ]);
    const after = await driver.readUsage();
    expect([quick.count, slow.count].every((count) => count >= 10)).toBe(true);
    const took = (records: RequestRecords, row: number) =>
      ((records.doneNs[row] ?? 0) - (records.sentNs[row] ?? 0)) / NS_PER_MS;
    expect(Array.from({ length: slow.count }, (_, row) => took(slow, row)).every((ms) => ms >= 29)).toBe(true);
    expect(Array.from({ length: quick.count }, (_, row) => took(quick, row)).some((ms) => ms < 29)).toBe(true);
    const elapsedUs = (after.atNs - before.atNs) / 1e3;
    const spunUs = after.spinTimeUs - before.spinTimeUs;
    expect(spunUs).toBeLessThanOrEqual(elapsedUs);
    // Never asleep: with only the last two milliseconds before 12 sends of each it would be under a tenth.
    expect(spunUs).toBeGreaterThan(elapsedUs / 8);
    const bytes = await Promise.all([driver.readUsage(), beside.readUsage()]);
    expect(bytes.every(({ serverRxBytes }) => serverRxBytes > 0)).toBe(true);
  });

  test('ends with its driver without waiting for answers, and the other goes on', async () => {
    const [first, hung] = [await startServer('fixed-service', [1]), await startServer('fixed-service', [60_000])];
    const driver = await startDriver();
    const beside = driver.openBeside();
    await driver.prepare(httpTarget(first.url), { timeoutMs: 1000 });
    await beside.prepare(httpTarget(hung.url), { timeoutMs: 60_000 });
    const run = await beside.start({ kind: 'closed', concurrency: 2 }, () => {});
    await beside[Symbol.asyncDispose]();
    await run.stop();
    await expect(beside.start({ kind: 'closed', concurrency: 1 }, () => {})).rejects.toThrow('nothing was prepared');
    expect((await offer(driver, { kind: 'closed', concurrency: 1 }, 0.1)).count).toBeGreaterThan(0);
  });
});

describe('the generator process', () => {
  test.runIf(process.platform === 'linux')('runs on exactly the CPUs asked for', async () => {
    const [cpu] = allowedCpus('self');
    const driver = await startDriver({ cpuset: `${cpu}` });
    expect(driver.cpuset).toBe(`${cpu}`);
    expect(allowedCpus(driver.pid)).toEqual([cpu]);
  });

  test.runIf(process.platform === 'linux')('is refused CPUs that it cannot have', async () => {
    await expect(createLoadDriver({ cpuset: '4095' })).rejects.toThrow(/4095/);
    const half = `${allowedCpus('self')[0]},4095`;
    await expect(createLoadDriver({ cpuset: half })).rejects.toThrow(/pinned to CPUs .*4095 and may run on/);
    await expect(createLoadDriver({ cpuset: 'first' })).rejects.toThrow('"first" is not a list of CPUs');
  });

  test('that dies takes the run and every later call with it, by its name', async () => {
    const server = await startServer('fixed-service', [1]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 1000 });
    const run = await driver.start({ kind: 'closed', concurrency: 1 }, () => {});
    process.kill(driver.pid, 'SIGKILL');
    await expect(run.ended).rejects.toThrow('the load generator ended by itself (signal SIGKILL)');
    await expect(run.stop()).rejects.toThrow(LoadError);
    await expect(driver.readUsage()).rejects.toThrow(LoadError);
  });

  test('ends when the process that started it is killed', async () => {
    const script = `
      import { createLoadDriver } from ${JSON.stringify(compiledEntry('load/index'))};
      const driver = await createLoadDriver();
      process.stdout.write(String(driver.pid));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(Number(pid)), { timeout: 5000 }).toBe(false);
  });

  test('leaves with its driver', async () => {
    const driver = await createLoadDriver();
    await driver[Symbol.asyncDispose]();
    expect(isAlive(driver.pid)).toBe(false);
    await expect(driver.readUsage()).rejects.toThrow('the load generator was stopped');
  });

  function allowedCpus(pid: number | 'self'): readonly number[] {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return parseCpuList(list ?? '') ?? [];
  }

  function isAlive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
});

describe('refused', () => {
  test('a load before anything was prepared', async () => {
    const driver = await startDriver();
    await expect(driver.start(openLoad(10), () => {})).rejects.toThrow('nothing was prepared');
  });

  test('a second load while one is on', async () => {
    const server = await startServer('fixed-service', [1]);
    const driver = await startDriver();
    await driver.prepare(httpTarget(server.url), { timeoutMs: 1000 });
    const run = await driver.start({ kind: 'closed', concurrency: 1 }, () => {});
    await expect(driver.start({ kind: 'closed', concurrency: 1 }, () => {})).rejects.toThrow('a load is on');
    await run.stop();
  });

  test.each([
    ['an address', httpTarget('localhost:80'), 1000, '"localhost:80" is not the address of an HTTP server'],
    ['a timeout', httpTarget('http://127.0.0.1:1/'), 0, 'a timeout of 0 ms'],
  ])('%s', async (_, target, timeoutMs, message) => {
    const driver = await startDriver();
    await expect(driver.prepare(target, { timeoutMs })).rejects.toThrow(message);
  });

  test.each<[OfferedLoad, string]>([
    [openLoad(-5), 'a rate of -5 requests/s cannot be offered'],
    [openLoad(5, 0), '0 connections'],
    [{ kind: 'closed', concurrency: 1.5 }, '1.5 connections'],
  ])('the load %j', async (load, message) => {
    const driver = await startDriver();
    await driver.prepare(httpTarget('http://127.0.0.1:1/'), { timeoutMs: 1000 });
    await expect(driver.start(load, () => {})).rejects.toThrow(message);
  });
});

test('requests add up to their outcomes under a server that delays, breaks, fails, babbles and falls silent', async () => {
  const server = await startServer('moody', [3]);
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
