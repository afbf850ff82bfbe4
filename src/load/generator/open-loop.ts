import { monotonicNs, NS_PER_MS, NS_PER_S } from '../../units.ts';
import type { ArrivalProcess } from '../arrivals/types.ts';
import { OUTCOME, type Spin } from '../types.ts';
import type { LoadClient } from './load-client.ts';
import type { Pacing, PacingHost } from './pacing.ts';

/** Node's timers tick at 1 ms and fire up to about 1 ms late, and a virtual machine may take another to wake up: the rest is spent in a spin through the event loop. */
const WAKE_EARLY_MS = 2;
/** Longest turn of the event loop that counts as an empty one; beyond it the process did something else or was not running. */
const LONGEST_EMPTY_TURN_NS = 50_000;
/** Longest sleep, so that no timer overflows. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Releases one idle client at each intended time. Where none is idle the request waits in line and keeps its intended time; where it waits past the timeout
 * it is given up as timed out, unsent.
 *
 * @param spin - `always` never sleeps while the load is on: a virtual machine may wake an idle CPU milliseconds late, whatever the timer was set to
 *
 * Idle clients are taken last in, first out: few connections stay warm and the others rest.
 */
export function createOpenLoop(
  arrivals: ArrivalProcess,
  { timeoutMs, spin = 'near' }: { readonly timeoutMs: number; readonly spin?: Spin | undefined },
  host: PacingHost,
): Pacing {
  const idle: LoadClient[] = [];
  const line = createLine<WaitingRequest>();
  const timeoutNs = timeoutMs * NS_PER_MS;
  /** Since when no client is idle. A request due before that found one and is late through this process, not through the server. */
  let exhaustedSinceNs = Number.NEGATIVE_INFINITY;
  let startNs = 0;
  let nextNs = Number.POSITIVE_INFINITY;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  /** Where the last turn of a spin began, and the activity seen by then. */
  let spinFromNs: number | undefined;
  let spinActivity = 0;

  const advance = () => {
    nextNs = startNs + arrivals.nextS() * NS_PER_S;
  };

  const releaseDue = (nowNs: number) => {
    while (nextNs <= nowNs) {
      const client = line.isEmpty() ? idle.pop() : undefined;
      if (client === undefined) {
        line.push({ intendedNs: nextNs, waitsForClient: exhaustedSinceNs <= nextNs });
      } else {
        if (idle.length === 0) exhaustedSinceNs = nowNs;
        host.send(client, nextNs, false);
      }
      advance();
    }
  };

  const expire = (nowNs: number) => {
    for (let first = line.first(); first !== undefined && first.intendedNs + timeoutNs <= nowNs; first = line.first()) {
      line.shift();
      host.giveUp(first.intendedNs, OUTCOME.timeout, first.intendedNs + timeoutNs, first.waitsForClient);
    }
  };

  const onTurn = () => {
    const nowNs = monotonicNs();
    if (spinFromNs !== undefined && spinActivity === host.activity()) {
      host.addSpin(Math.max(spinFromNs, nowNs - LONGEST_EMPTY_TURN_NS), nowNs);
    }
    releaseDue(nowNs);
    if (nextNs === Number.POSITIVE_INFINITY) return;
    const waitMs = (nextNs - monotonicNs()) / NS_PER_MS - WAKE_EARLY_MS;
    if (waitMs >= 1 && spin === 'near') {
      spinFromNs = undefined;
      timer = setTimeout(onTurn, Math.min(Math.floor(waitMs), LONGEST_SLEEP_MS));
    } else {
      // An immediate comes after the sockets were served, so the spin starves nobody.
      spinFromNs = nowNs;
      spinActivity = host.activity();
      immediate = setImmediate(onTurn);
    }
  };

  return {
    clientIsIdle: (client) => {
      expire(monotonicNs());
      const request = isStopped ? undefined : line.shift();
      if (request === undefined) {
        idle.push(client);
        exhaustedSinceNs = Number.POSITIVE_INFINITY;
      } else {
        host.send(client, request.intendedNs, request.waitsForClient);
      }
    },
    start: (atNs) => {
      startNs = atNs;
      advance();
      onTurn();
    },
    expire,
    stop: (nowNs) => {
      isStopped = true;
      clearTimeout(timer);
      clearImmediate(immediate);
      expire(nowNs);
      for (; nextNs <= nowNs; advance()) {
        line.push({ intendedNs: nextNs, waitsForClient: exhaustedSinceNs <= nextNs });
      }
      for (let request = line.shift(); request !== undefined; request = line.shift()) {
        host.giveUp(request.intendedNs, OUTCOME.unanswered, nowNs, request.waitsForClient);
      }
    },
  };
}

/** A request that is due and has no client yet. */
interface WaitingRequest {
  readonly intendedNs: number;
  readonly waitsForClient: boolean;
}

/** A first-in-first-out line whose ends cost the same however long it is. */
function createLine<Entry>() {
  let entries: Entry[] = [];
  let head = 0;
  return {
    isEmpty: () => head === entries.length,
    first: () => entries[head],
    push: (entry: Entry) => {
      entries.push(entry);
    },
    shift: (): Entry | undefined => {
      const entry = entries[head];
      if (entry === undefined) return undefined;
      head++;
      if (head > 1024 && head * 2 > entries.length) {
        entries = entries.slice(head);
        head = 0;
      }
      return entry;
    },
  };
}
