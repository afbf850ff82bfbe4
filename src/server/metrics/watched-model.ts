import type { Counter, Histogram } from 'prom-client';
import { KserveError } from '../../kserve/index.ts';
import { NS_PER_S, NS_PER_US } from '../../units.ts';
import type { ModelEvents, ModelInference } from '../model/types.ts';

const US_PER_S = NS_PER_S / NS_PER_US;

/** Most answers kept back; so many take prom-client about as long as one request takes the server. */
const MOST_PENDING = 128;

/** The metrics of one version of a model. */
export interface WatchedMetrics {
  readonly requests: Counter.Internal;
  readonly queue: Histogram.Internal<string>;
  readonly compute: Histogram.Internal<string>;
  readonly items: Histogram.Internal<string>;
  readonly together: Histogram.Internal<string>;
  readonly cache: Readonly<Record<'hit' | 'miss', Counter.Internal>>;
  readonly onError: (status: number) => void;
}

/**
 * What one version of a model tells, kept back until someone reads the metrics or there is much of it.
 *
 * prom-client puts the labels of every observation together anew, five times a request; between two inferences, whose weights push all code out of the processor's cache, that
 * costs ten times what it does in a row.
 */
export class WatchedModel implements ModelEvents {
  readonly #metrics: WatchedMetrics;
  #answers: Pick<ModelInference, 'queueUs' | 'computeUs' | 'cache'>[] = [];
  #runs: { readonly items: number; readonly requests: number }[] = [];

  constructor(metrics: WatchedMetrics) {
    this.#metrics = metrics;
  }

  onAnswer({ queueUs, computeUs, cache }: ModelInference): void {
    this.#answers.push(cache === undefined ? { queueUs, computeUs } : { queueUs, computeUs, cache });
    if (this.#answers.length >= MOST_PENDING) this.flush();
  }

  onError(error: unknown): void {
    this.#metrics.onError(error instanceof KserveError ? error.status : 500);
  }

  onRun(items: number, requests: number): void {
    this.#runs.push({ items, requests });
    if (this.#runs.length >= MOST_PENDING) this.flush();
  }

  flush(): void {
    const { requests, queue, compute, items, together, cache } = this.#metrics;
    const [answers, runs] = [this.#answers, this.#runs];
    this.#answers = [];
    this.#runs = [];
    requests.inc(answers.length);
    for (const answer of answers) {
      if (answer.cache !== undefined) cache[answer.cache].inc();
      if (answer.cache === 'hit') continue;
      queue.observe(answer.queueUs / US_PER_S);
      compute.observe(answer.computeUs / US_PER_S);
    }
    for (const run of runs) {
      items.observe(run.items);
      together.observe(run.requests);
    }
  }
}
