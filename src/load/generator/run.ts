import { setTimeout as sleep } from 'node:timers/promises';
import { LoadError } from '../../errors.ts';
import { monotonicNs, NS_PER_MS } from '../../units.ts';
import { createArrivalProcess } from '../arrivals/arrival-process.ts';
import { type EndedRequest, RecordBuffer } from '../records.ts';
import { type OfferedLoad, OUTCOME, type RequestRecords } from '../types.ts';
import { createClosedLoop } from './closed-loop.ts';
import { openHttpClients } from './http-clients.ts';
import type { Ending, InFlight, LoadClient, OnEnd, OpenClients, Traffic } from './load-client.ts';
import { createOpenLoop } from './open-loop.ts';
import type { Pacing, PacingHost } from './pacing.ts';
import { findHeader, parseServerTiming } from './reply-headers.ts';
import { createRequestOrder } from './request-order.ts';
import type { PreparedTarget } from './requests.ts';
import type { SpinClock } from './spin-clock.ts';

/** How often records are handed over, and how many rows at most are held until then. */
const HAND_OVER_EVERY_MS = 200;
const ROWS_HELD = 4096;
/** Longest wait for the first connections. A server that does not accept them by then is loaded all the same, and the records show it. */
const CONNECT_WITHIN_MS = 1000;
/** From the decision to begin until the schedule's zero. */
const LEAD_NS = 2 * NS_PER_MS;

/** One stretch of load inside the generator process. */
export interface GeneratorRun {
  readonly startedAtNs: number;
  /** Brings the traffic counters up to now. */
  countTraffic(): void;
  /** Gives up what is in flight, so that `stop` has nothing to wait for. */
  abandon(): void;
  /** Settles when nothing is in flight any more and all records were handed over. */
  stop(): Promise<void>;
}

export interface GeneratorRunOptions {
  readonly target: PreparedTarget;
  readonly load: OfferedLoad;
  readonly timeoutMs: number;
  /** Counted over all runs of one load. */
  readonly traffic: Traffic;
  /** Counts up with everything that any load of the process does. */
  readonly activity: () => number;
  readonly spinClock: SpinClock;
  readonly onRecords: (records: RequestRecords) => void;
}

/** @throws LoadError where the load cannot be offered */
export async function startGeneratorRun(options: GeneratorRunOptions): Promise<GeneratorRun> {
  const { target, load, timeoutMs, traffic, activity, spinClock, onRecords } = options;
  const { requests, judge } = target;
  const connections = load.kind === 'open' ? load.connections : load.concurrency;
  if (!Number.isInteger(connections) || connections < 1) {
    throw new LoadError({
      what: `a load over ${connections} connections cannot be offered`,
      hint: 'Give a whole number, 1 or more.',
    });
  }
  const timeoutNs = timeoutMs * NS_PER_MS;
  const rows = new RecordBuffer(ROWS_HELD);
  const nextRequest = target.makeOrder?.() ?? createRequestOrder(requests.length, { kind: 'in-turn' }, 0);
  let inFlight = 0;
  let onDrained: (() => void) | undefined;

  const handOver = () => {
    if (rows.count > 0) onRecords(rows.take());
  };
  const record = (ended: EndedRequest) => {
    rows.push(ended);
    if (rows.isFull) handOver();
  };

  const host: PacingHost = {
    send: (client, intendedNs, waitedForClient) => {
      const request = requests[nextRequest()];
      if (request === undefined) throw new RangeError('a prepared target has no request');
      inFlight++;
      client.release(request, intendedNs, waitedForClient);
    },
    giveUp: (intendedNs, outcome, doneNs, waitedForClient) =>
      record({ ...UNANSWERED, intendedNs, sentNs: Number.NaN, doneNs, waitedForClient, outcome }),
    activity,
    addSpin: spinClock.add,
  };
  const pacing = createPacing(load, timeoutMs, host);

  const onEnd = (client: LoadClient, sent: InFlight, how: Ending) => {
    const ended = judgeEnding(sent, how);
    record(ended);
    inFlight--;
    pacing.clientIsIdle(client, ended.outcome);
    if (inFlight === 0) onDrained?.();
  };

  const judgeEnding = (sent: InFlight, how: Ending): EndedRequest => {
    const { intendedNs, sentNs, waitedForClient } = sent;
    const known = { intendedNs, sentNs, waitedForClient };
    // A reply that came too late is a timeout, also where it came before anybody looked.
    const deadlineNs = intendedNs + timeoutNs;
    if (how.outcome === OUTCOME.timeout || how.doneNs > deadlineNs) {
      return { ...UNANSWERED, ...known, doneNs: deadlineNs, outcome: OUTCOME.timeout };
    }
    const { head, doneNs } = how;
    if (head === undefined) return { ...UNANSWERED, ...known, doneNs, outcome: how.outcome };
    const timing = parseServerTiming(findHeader(head.headers, 'server-timing'));
    const outcome = outcomeOfStatus(head.statusCode);
    if (outcome !== OUTCOME.ok || judge === undefined) return { ...UNANSWERED, ...known, ...timing, doneNs, outcome };
    const judged = judge(sent.request, head.headers, Buffer.concat(how.body));
    return {
      ...known,
      ...timing,
      doneNs,
      outcome: judged.isAnswer ? OUTCOME.ok : OUTCOME.malformed,
      top1Correct: judged.top1Correct,
      top5Correct: judged.top5Correct,
    };
  };

  const open = await openClients(target, connections, traffic, onEnd);
  const { clients } = open;
  const connectBy = monotonicNs() + CONNECT_WITHIN_MS * NS_PER_MS;
  while (clients.some((client) => client.isConnecting) && monotonicNs() < connectBy) await sleep(1);

  const handOvers = setInterval(handOver, HAND_OVER_EVERY_MS);
  const sweeps = setInterval(
    () => {
      const nowNs = monotonicNs();
      for (const client of clients) {
        const deadlineNs = (client.inFlight?.intendedNs ?? Number.POSITIVE_INFINITY) + timeoutNs;
        if (deadlineNs <= nowNs) client.abandon(OUTCOME.timeout, deadlineNs);
      }
      pacing.expire(nowNs);
    },
    Math.min(50, Math.max(5, timeoutMs / 20)),
  );

  for (const client of clients) pacing.clientIsIdle(client, undefined);
  const startedAtNs = monotonicNs() + LEAD_NS;
  pacing.start(startedAtNs);

  return {
    startedAtNs,
    countTraffic: open.countTraffic,
    abandon: () => {
      const nowNs = monotonicNs();
      pacing.stop(nowNs);
      for (const client of clients) if (client.inFlight !== undefined) client.abandon(OUTCOME.unanswered, nowNs);
    },
    stop: async () => {
      pacing.stop(monotonicNs());
      if (inFlight > 0) {
        await new Promise<void>((resolve) => {
          onDrained = resolve;
        });
      }
      clearInterval(handOvers);
      clearInterval(sweeps);
      handOver();
      await open.close();
    },
  };
}

async function openClients(
  target: PreparedTarget,
  connections: number,
  traffic: Traffic,
  onEnd: OnEnd,
): Promise<OpenClients> {
  if (target.transport === 'http') return openHttpClients(target, connections, traffic, onEnd);
  // Loaded where used: HTTP needs none of it.
  const { openGrpcClients } = await import('./grpc-clients.ts');
  return openGrpcClients(target, connections, traffic, onEnd);
}

/** What a reply would have told. */
const UNANSWERED = { queueUs: Number.NaN, computeUs: Number.NaN, cacheHit: -1, top1Correct: -1, top5Correct: -1 };

function createPacing(load: OfferedLoad, timeoutMs: number, host: PacingHost): Pacing {
  return load.kind === 'open'
    ? createOpenLoop(createArrivalProcess(load), { timeoutMs, spin: load.spin }, host)
    : createClosedLoop(host);
}

function outcomeOfStatus(statusCode: number): number {
  if (statusCode >= 200 && statusCode < 300) return OUTCOME.ok;
  if (statusCode >= 400 && statusCode < 500) return OUTCOME.http4xx;
  if (statusCode >= 500 && statusCode < 600) return OUTCOME.http5xx;
  // A redirect is not followed, so it is no answer.
  return OUTCOME.malformed;
}
