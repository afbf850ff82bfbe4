import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { MS_PER_S } from '../../units.ts';
import type { ModelEvents } from '../model/types.ts';
import type { ModelListing } from '../repository/types.ts';
import { type WatchedMetrics, WatchedModel } from './watched-model.ts';

const LABELS = ['model', 'version'] as const;

/** Upper ends in seconds, from a tiny model to one that is overloaded: three per decade. */
const TIME_BUCKETS_S = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128];

/** What the server's models do, as Prometheus has it; times are in seconds, as is its custom. */
export class ModelMetrics {
  readonly #requests: Counter<(typeof LABELS)[number]>;
  readonly #errors: Counter<(typeof LABELS)[number] | 'status'>;
  readonly #queue: Histogram<(typeof LABELS)[number]>;
  readonly #compute: Histogram<(typeof LABELS)[number]>;
  readonly #batchItems: Histogram<(typeof LABELS)[number]>;
  readonly #batchRequests: Histogram<(typeof LABELS)[number]>;
  readonly #cache: Counter<(typeof LABELS)[number] | 'result'>;

  readonly #watched = new Map<string, WatchedModel>();

  /** @param list - the models of the repository, asked whenever the metrics are read */
  constructor(registry: Registry, list: () => readonly ModelListing[]) {
    const registers = [registry];
    const labelNames = [...LABELS];
    const collect = () => this.#flush();
    const time = { labelNames, buckets: TIME_BUCKETS_S, registers, collect };
    this.#requests = new Counter({
      name: 'dse_requests_total',
      help: 'Inference requests that were answered, from the cache too',
      ...{ labelNames, registers, collect },
    });
    this.#errors = new Counter({
      name: 'dse_request_errors_total',
      help: 'Inference requests to a model that were refused or failed, by HTTP status',
      ...{ labelNames: [...LABELS, 'status'], registers },
    });
    this.#queue = new Histogram({
      name: 'dse_request_queue_seconds',
      help: 'Time from a decoded request to the runtime starting on it; answers from the cache are not in it',
      ...time,
    });
    this.#compute = new Histogram({
      name: 'dse_request_compute_seconds',
      help: 'Time in the runtime, of the whole run where requests shared it; answers from the cache are not in it',
      ...time,
    });
    this.#batchItems = new Histogram({
      name: 'dse_run_items',
      help: 'Items run together',
      ...{ labelNames, buckets: BATCH_BUCKETS, registers, collect },
    });
    this.#batchRequests = new Histogram({
      name: 'dse_run_requests',
      help: 'Requests run together',
      ...{ labelNames, buckets: BATCH_BUCKETS, registers, collect },
    });
    this.#cache = new Counter({
      name: 'dse_cache_lookups_total',
      help: 'Answers looked for among those remembered, by result: hit or miss',
      ...{ labelNames: [...LABELS, 'result'], registers, collect },
    });
    addGauges(registers, list);
    addChanges(registers, list);
  }

  /** The same for a version that was loaded before. */
  watch(model: string, version: string): ModelEvents {
    const key = JSON.stringify([model, version]);
    const watched = this.#watched.get(key) ?? new WatchedModel(this.#metricsOf({ model, version }));
    this.#watched.set(key, watched);
    return watched;
  }

  #metricsOf(labels: { readonly model: string; readonly version: string }): WatchedMetrics {
    return {
      requests: this.#requests.labels(labels),
      queue: this.#queue.labels(labels),
      compute: this.#compute.labels(labels),
      items: this.#batchItems.labels(labels),
      together: this.#batchRequests.labels(labels),
      cache: {
        hit: this.#cache.labels({ ...labels, result: 'hit' }),
        miss: this.#cache.labels({ ...labels, result: 'miss' }),
      },
      onError: (status) => this.#errors.inc({ ...labels, status: String(status) }),
    };
  }

  #flush(): void {
    for (const watched of this.#watched.values()) watched.flush();
  }
}

/** A gauge of every model that has a value for it. */
interface ModelGauge {
  readonly name: string;
  readonly help: string;
  readonly read: (model: ModelListing) => number | undefined;
}

const GAUGES: readonly ModelGauge[] = [
  { name: 'dse_model_loaded', help: '1 where the model is ready', read: ({ loaded }) => (loaded ? 1 : 0) },
  { name: 'dse_queue_length', help: 'Requests that wait', read: ({ loaded }) => loaded?.queueLength },
  { name: 'dse_cache_bytes', help: 'Memory of remembered answers', read: ({ loaded }) => loaded?.cacheBytes },
  {
    name: 'dse_model_load_seconds',
    help: 'Time the loading took',
    read: ({ loaded }) => loaded && loaded.figures.loadMs / MS_PER_S,
  },
  {
    name: 'dse_model_warm_up_seconds',
    help: 'Time the first inference took',
    read: ({ loaded }) => (loaded?.figures.warmUpMs === undefined ? undefined : loaded.figures.warmUpMs / MS_PER_S),
  },
  {
    name: 'dse_model_load_bytes',
    help: 'Growth of the resident memory while it was loaded',
    read: ({ loaded }) => loaded?.figures.memoryBytes,
  },
];

/** How often models were loaded and unloaded: with a limit on loaded models, how much of the time goes into changing them. */
function addChanges(registers: Registry[], list: () => readonly ModelListing[]): void {
  const counting = (name: string, help: string, read: (model: ModelListing) => number) =>
    new Counter({
      ...{ name, help, labelNames: [...LABELS], registers },
      collect() {
        this.reset();
        for (const model of list()) this.inc({ model: model.name, version: model.version }, read(model));
      },
    });
  counting('dse_model_loads_total', 'Times the model became ready', ({ loads }) => loads);
  counting(
    'dse_model_unloads_total',
    'Times it ceased to be: on request, to make room for another, or because it died',
    ({ unloads }) => unloads,
  );
}

function addGauges(registers: Registry[], list: () => readonly ModelListing[]): void {
  for (const { name, help, read } of GAUGES) {
    new Gauge({
      ...{ name, help, labelNames: [...LABELS], registers },
      collect() {
        this.reset();
        for (const model of list()) {
          const value = read(model);
          if (value !== undefined) this.set({ model: model.name, version: model.version }, value);
        }
      },
    });
  }
}
