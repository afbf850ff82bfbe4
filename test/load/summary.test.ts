import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { summarizeRequests } from '../../src/load/index.ts';
import { makeRecords, type RequestMs } from './make-records.ts';

const window = { startNs: 1000e6, endNs: 2000e6, timeoutMs: 500 };
const atEvery = (count: number, request: (index: number) => Partial<RequestMs>): RequestMs[] =>
  Array.from({ length: count }, (_, index) => {
    const intended = 1000 + (index * 1000) / count;
    return { intended, done: intended + 10, ...request(index) };
  });

describe('a window', () => {
  test('counts latency and outcomes by when requests were due, throughput by when replies came', () => {
    const { responses, requests, outcomes } = summarizeRequests(
      makeRecords([
        { intended: 990, done: 1005 },
        { intended: 1000, done: 1020 },
        { intended: 1500, done: 1540, outcome: 'http5xx' },
        { intended: 1999, done: 2059 },
        { intended: 2000, done: 2001 },
      ]),
      window,
    );
    expect(requests).toBe(3);
    expect(outcomes).toMatchObject({ ok: 2, http5xx: 1, timeout: 0 });
    expect(responses).toMatchObject({ offered_rps: 3, achieved_rps: 2, latency_mean_ms: 40, latency_max_ms: 60 });
  });

  test('has goodput only where an objective is given', () => {
    const records = makeRecords([
      { intended: 1000, done: 1010 },
      { intended: 1100, done: 1150 },
    ]);
    expect(summarizeRequests(records, window).responses).not.toHaveProperty('goodput_rps');
    expect(summarizeRequests(records, { ...window, sloLatencyMs: 20 }).responses.goodput_rps).toBe(1);
  });

  test('gives the means of what the server says of good replies, and nothing where it says nothing', () => {
    const told = makeRecords([
      { intended: 1000, done: 1010, queue: 1, compute: 4 },
      { intended: 1100, done: 1110, queue: 3, compute: 8 },
      { intended: 1200, done: 1210 },
      { intended: 1300, done: 1310, outcome: 'http5xx', queue: 100, compute: 100 },
    ]);
    const { responses } = summarizeRequests(told, window);
    expect(responses.queue_ms).toBeCloseTo(2, 4);
    expect(responses.compute_ms).toBeCloseTo(6, 4);
    expect(summarizeRequests(makeRecords([{ intended: 1000, done: 1010 }]), window).responses).not.toHaveProperty(
      'queue_ms',
    );
  });

  test('scores only labelled good replies, over all their items', () => {
    const records = makeRecords([
      { intended: 1000, done: 1010, top1: 3, top5: 4 },
      { intended: 1100, done: 1110, top1: 4, top5: 4 },
      { intended: 1200, done: 1210, outcome: 'timeout' },
    ]);
    const { responses, scored } = summarizeRequests(records, { ...window, batch: 4 });
    expect(scored).toEqual({ replies: 2, top1Correct: 7, top5Correct: 8 });
    expect(responses).toMatchObject({ accuracy_top1: 7 / 8, accuracy_top5: 1 });
    expect(summarizeRequests(records, window).responses).not.toHaveProperty('accuracy_top1');
  });

  test('counts accurate requests by their right items, and only those within the objective', () => {
    const records = makeRecords([
      { intended: 1000, done: 1010, top1: 3, top5: 4 },
      { intended: 1100, done: 1180, top1: 4, top5: 4 },
      { intended: 1200, done: 1210, top1: 1, top5: 4 },
    ]);
    const { responses } = summarizeRequests(records, { ...window, batch: 4, sloLatencyMs: 50 });
    const seconds = (window.endNs - window.startNs) / 1e9;
    expect(responses.accurate_rps).toBeCloseTo((3 / 4 + 1 / 4) / seconds, 9);
    expect(responses.goodput_rps).toBeCloseTo(2 / seconds, 9);
    expect(summarizeRequests(records, { ...window, batch: 4 }).responses).not.toHaveProperty('accurate_rps');
  });

  test('refuses to be empty', () => {
    expect(() => summarizeRequests(makeRecords([]), { ...window, endNs: 1000e6 })).toThrow('has no length');
  });
});

describe('percentiles', () => {
  test.each([
    ['p50', 11],
    ['p90', 64],
    ['p95', 130],
    ['p99', 662],
    ['p999', 6636],
  ])('%s appears with %i requests and not with one fewer', (name, minimum) => {
    const columnOf = (count: number) =>
      summarizeRequests(makeRecords(atEvery(count, () => ({}))), window).responses[`latency_${name}_ms`];
    expect(columnOf(minimum)).toBeCloseTo(10, 6);
    expect(columnOf(minimum - 1)).toBeUndefined();
  });

  test('say what they lack', () => {
    const { notes } = summarizeRequests(makeRecords(atEvery(100, () => ({}))), window);
    expect(notes).toEqual([
      {
        code: 'too-few-samples',
        detail:
          '100 requests with a latency; latency_p95_ms needs 130, latency_p99_ms needs 662, latency_p999_ms needs 6636',
      },
    ]);
  });

  test('are the nearest rank of the sorted latencies', () => {
    const count = 1000;
    const { responses } = summarizeRequests(
      makeRecords(atEvery(count, (index) => ({ done: 1000 + index + ((index * 7919) % count) + 1 }))),
      window,
    );
    expect(responses.latency_p50_ms).toBeCloseTo(500, 6);
    expect(responses.latency_p90_ms).toBeCloseTo(900, 6);
    expect(responses.latency_p99_ms).toBeCloseTo(990, 6);
    expect(responses.latency_max_ms).toBeCloseTo(1000, 6);
  });

  test('rise with their rank, lie between the extremes, and count each request once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 499, noNaN: true }), { minLength: 64, maxLength: 300 }),
        (latencies) => {
          const requests = latencies.map((latency, index) => {
            const intended = 1000 + (index * 999) / latencies.length;
            return { intended, done: intended + latency };
          });
          const { responses, outcomes } = summarizeRequests(makeRecords(requests), window);
          const { latency_p50_ms: p50, latency_p90_ms: p90, latency_max_ms: max } = responses;
          expect(p50).toBeLessThanOrEqual(p90 ?? Number.NaN);
          expect(p90).toBeLessThanOrEqual(max ?? Number.NaN);
          expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(latencies.length);
        },
      ),
    );
  });
});

describe('requests that were given up', () => {
  test('count as the timeout, and make what rests on them a lower bound', () => {
    const requests = atEvery(200, (index) => {
      const intended = 1000 + index * 5;
      return index % 20 === 0 ? { done: intended + 500, outcome: 'timeout' } : {};
    });
    const { responses, lowerBounds, timeouts } = summarizeRequests(makeRecords(requests), window);
    expect(timeouts).toBe(10);
    // 5 % time out: the 95th percentile is still an answer's.
    expect(responses).toMatchObject({
      latency_p50_ms: expect.closeTo(10),
      latency_p95_ms: expect.closeTo(10),
      latency_max_ms: 500,
    });
    expect(responses.latency_mean_ms).toBeCloseTo(0.95 * 10 + 0.05 * 500, 6);
    expect(lowerBounds).toEqual(['latency_mean_ms', 'latency_max_ms']);
  });

  test('bound every percentile above their wait when the load was stopped before their turn', () => {
    const requests = atEvery(130, (index) => {
      const intended = 1000 + (index * 1000) / 130;
      return index < 10 ? { sent: Number.NaN, done: intended + 5, outcome: 'unanswered' } : {};
    });
    const { lowerBounds, errors, outcomes } = summarizeRequests(makeRecords(requests), window);
    expect(outcomes.unanswered).toBe(10);
    expect(errors).toBe(0);
    expect(lowerBounds).toEqual([
      'latency_mean_ms',
      'latency_p50_ms',
      'latency_p90_ms',
      'latency_p95_ms',
      'latency_max_ms',
    ]);
  });
});

describe('lateness', () => {
  test('blames the generator only for requests that found a client free', () => {
    const { lateShare, waitedShare, responses } = summarizeRequests(
      makeRecords([
        { intended: 1000, sent: 1000.5, done: 1010 },
        { intended: 1100, sent: 1101.5, done: 1110 },
        { intended: 1200, sent: 1300, done: 1310, waited: true },
        { intended: 1300, sent: Number.NaN, done: 1800, waited: true, outcome: 'timeout' },
      ]),
      window,
    );
    expect(lateShare).toBe(0.25);
    expect(waitedShare).toBe(0.5);
    expect(responses.late_share).toBe(0.25);
  });
});

test("Little's law holds for requests that lie within the window", () => {
  const { meanInSystem, offeredRps, responses } = summarizeRequests(makeRecords(atEvery(90, () => ({}))), window);
  expect(meanInSystem).toBeCloseTo((offeredRps * (responses.latency_mean_ms ?? Number.NaN)) / 1000, 6);
});
