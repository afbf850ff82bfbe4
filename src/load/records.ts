import type { RequestRecords } from './types.ts';

/** One request that ended, as it enters the columns of `RequestRecords`. */
export interface EndedRequest {
  readonly intendedNs: number;
  readonly sentNs: number;
  readonly doneNs: number;
  readonly waitedForClient: boolean;
  /** One of `OUTCOME`. */
  readonly outcome: number;
  readonly queueUs: number;
  readonly computeUs: number;
  readonly cacheHit: number;
  readonly top1Correct: number;
  readonly top5Correct: number;
}

/** Columns of a fixed capacity that are filled row by row and handed over as a whole. */
export class RecordBuffer {
  readonly #capacity: number;
  readonly #columns: RequestRecords;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#columns = allocateRecords(capacity);
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  get count(): number {
    return this.#count;
  }

  /** @throws RangeError when full */
  push(request: EndedRequest): void {
    if (this.isFull) throw new RangeError(`record buffer holds ${this.#capacity} requests and is full`);
    const row = this.#count++;
    const columns = this.#columns;
    columns.intendedNs[row] = request.intendedNs;
    columns.sentNs[row] = request.sentNs;
    columns.doneNs[row] = request.doneNs;
    columns.waitedForClient[row] = request.waitedForClient ? 1 : 0;
    columns.outcome[row] = request.outcome;
    columns.queueUs[row] = request.queueUs;
    columns.computeUs[row] = request.computeUs;
    columns.cacheHit[row] = request.cacheHit;
    columns.top1Correct[row] = request.top1Correct;
    columns.top5Correct[row] = request.top5Correct;
  }

  /** A copy of the rows so far; the buffer is empty afterwards. */
  take(): RequestRecords {
    const count = this.#count;
    const columns = this.#columns;
    this.#count = 0;
    return {
      count,
      intendedNs: columns.intendedNs.slice(0, count),
      sentNs: columns.sentNs.slice(0, count),
      doneNs: columns.doneNs.slice(0, count),
      waitedForClient: columns.waitedForClient.slice(0, count),
      outcome: columns.outcome.slice(0, count),
      queueUs: columns.queueUs.slice(0, count),
      computeUs: columns.computeUs.slice(0, count),
      cacheHit: columns.cacheHit.slice(0, count),
      top1Correct: columns.top1Correct.slice(0, count),
      top5Correct: columns.top5Correct.slice(0, count),
    };
  }
}

/** Batches of records one after another, as one. */
export function concatRecords(batches: readonly RequestRecords[]): RequestRecords {
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const all = allocateRecords(count);
  let offset = 0;
  for (const batch of batches) {
    all.intendedNs.set(batch.intendedNs, offset);
    all.sentNs.set(batch.sentNs, offset);
    all.doneNs.set(batch.doneNs, offset);
    all.waitedForClient.set(batch.waitedForClient, offset);
    all.outcome.set(batch.outcome, offset);
    all.queueUs.set(batch.queueUs, offset);
    all.computeUs.set(batch.computeUs, offset);
    all.cacheHit.set(batch.cacheHit, offset);
    all.top1Correct.set(batch.top1Correct, offset);
    all.top5Correct.set(batch.top5Correct, offset);
    offset += batch.count;
  }
  return all;
}

function allocateRecords(count: number): RequestRecords {
  return {
    count,
    intendedNs: new Float64Array(count),
    sentNs: new Float64Array(count),
    doneNs: new Float64Array(count),
    waitedForClient: new Uint8Array(count),
    outcome: new Uint8Array(count),
    queueUs: new Float32Array(count),
    computeUs: new Float32Array(count),
    cacheHit: new Int8Array(count),
    top1Correct: new Int16Array(count),
    top5Correct: new Int16Array(count),
  };
}
