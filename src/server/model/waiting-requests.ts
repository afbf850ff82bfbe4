import { NS_PER_MS } from '../../units.ts';
import type { BatchingSettings } from '../types.ts';
import type { InferenceRequest, ModelInference } from './types.ts';

/** A request that waits for the runtime. */
export interface WaitingRequest {
  readonly request: InferenceRequest;
  readonly items: number;
  /** Requests of one key may be joined; undefined for one that runs alone. */
  readonly key: string | undefined;
  readonly enqueuedNs: number;
  readonly resolve: (inference: ModelInference) => void;
  readonly reject: (error: unknown) => void;
  /** Refuses it at its deadline, where it has one, while it waits. */
  dropTimer?: NodeJS.Timeout;
}

/**
 * The requests that wait for a model, and which of them are to be run together next.
 *
 * Requests run in the order they came, but for those of other shapes, which never share a run.
 */
export class WaitingRequests {
  readonly #batching: BatchingSettings | undefined;
  /** Requests that may be joined stand in one lane, in the order they came. */
  readonly #lanes = new Map<string, WaitingRequest[]>();
  #count = 0;

  constructor(batching: BatchingSettings | undefined) {
    this.#batching = batching;
  }

  get count(): number {
    return this.#count;
  }

  add(waiting: WaitingRequest): void {
    const name = waiting.key ?? ALONE;
    const lane = this.#lanes.get(name);
    if (lane === undefined) this.#lanes.set(name, [waiting]);
    else lane.push(waiting);
    this.#count++;
  }

  /** @returns whether it was still waiting */
  remove(waiting: WaitingRequest): boolean {
    const name = waiting.key ?? ALONE;
    const lane = this.#lanes.get(name) ?? [];
    const index = lane.indexOf(waiting);
    if (index === -1) return false;
    lane.splice(index, 1);
    this.#forget(name, lane, 1);
    return true;
  }

  /**
   * Takes out what is to be run next; empty where nothing is due yet.
   *
   * @param isIdle - whether a session has nothing to do. For one that is busy only what could not grow any more is taken, to be ready when it ends.
   */
  take(nowNs: number, isIdle: boolean): readonly WaitingRequest[] {
    for (const [name, lane] of this.#lanesByAge()) {
      const count = this.#countDue(name, lane, nowNs, isIdle);
      if (count === 0) continue;
      const taken = lane.splice(0, count);
      this.#forget(name, lane, count);
      return taken;
    }
    return [];
  }

  /** When the next request has waited long enough for others; undefined where none waits. */
  get nextDueNs(): number | undefined {
    const [first] = this.#lanesByAge();
    return first === undefined ? undefined : this.#dueNs(first[1]);
  }

  #lanesByAge(): [string, WaitingRequest[]][] {
    const lanes = [...this.#lanes];
    return lanes.length < 2 ? lanes : lanes.sort(([, a], [, b]) => ageOf(a) - ageOf(b));
  }

  #dueNs(lane: readonly WaitingRequest[]): number {
    return ageOf(lane) + (this.#batching?.maxQueueDelayMs ?? 0) * NS_PER_MS;
  }

  #countDue(name: string, lane: readonly WaitingRequest[], nowNs: number, isIdle: boolean): number {
    const full = name === ALONE ? 1 : this.#countFull(lane);
    // A session that is busy gets no work ahead that may have to be dropped meanwhile.
    if (!isIdle) return lane.slice(0, full).some(({ request }) => request.deadlineNs !== undefined) ? 0 : full;
    if (full > 0) return full;
    return this.#countPreferred(lane) || (nowNs >= this.#dueNs(lane) ? lane.length : 0);
  }

  /** Requests at the head of a lane that fill a batch, so that no other can join them; 0 where they do not. */
  #countFull(lane: readonly WaitingRequest[]): number {
    const { maxBatch } = this.#batching ?? { maxBatch: 1 };
    let items = 0;
    for (const [count, waiting] of lane.entries()) {
      if (count > 0 && items + waiting.items > maxBatch) return count;
      items += waiting.items;
      if (items >= maxBatch) return count + 1;
    }
    return 0;
  }

  /** Most requests at the head of a lane that add up to a preferred size; 0 where none do. */
  #countPreferred(lane: readonly WaitingRequest[]): number {
    const sizes = this.#batching?.preferredBatches ?? [];
    let items = 0;
    let preferred = 0;
    for (const [index, waiting] of lane.entries()) {
      items += waiting.items;
      if (sizes.includes(items)) preferred = index + 1;
    }
    return preferred;
  }

  #forget(name: string, lane: readonly WaitingRequest[], count: number): void {
    if (lane.length === 0) this.#lanes.delete(name);
    this.#count -= count;
  }
}

/** Lane of requests that are not joined with any. */
const ALONE = '';

function ageOf(lane: readonly WaitingRequest[]): number {
  return lane[0]?.enqueuedNs ?? Number.POSITIVE_INFINITY;
}
