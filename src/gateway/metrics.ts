import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { NS_PER_S } from '../units.ts';
import { type Route, type Routes, stateOf, type Target } from './routes.ts';
import type { Upstream } from './upstream.ts';

/** Why the gateway gave no upstream's answer. A status is that of its own answer. */
export type FailureReason = 'client-gone' | 'broken' | `${number}`;

/** What happens to requests, told as it does. */
export interface GatewayEvents {
  /** An upstream's answer went to the client. `upstreamNs`: from sending the request on to the head of the answer; undefined where it was a refusal that was held back. */
  onAnswer(route: Route, target: Target, status: number, upstreamNs: number | undefined): void;
  /** The request goes to another target than `before`. */
  onRetry(route: Route, before: Target): void;
  /** @param route - undefined where no model of the name asked for is served */
  onFailure(route: Route | undefined, reason: FailureReason): void;
  /** A request is with the target, or (-1) no longer is. */
  onSent(target: Target, change: 1 | -1): void;
  /** From the head of a request to the end of its answer. */
  onDone(route: Route, totalNs: number): void;
  onDown(upstream: Upstream): void;
}

/** Upper ends in seconds, three per decade, as the server has them. */
const BUCKETS_S = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/**
 * What the gateway does, as Prometheus has it.
 * @param routes - asked whenever the metrics are read
 */
export function watchGateway(
  registry: Registry,
  routes: () => Routes,
  upstreams: () => readonly Upstream[],
): GatewayEvents {
  const registers = [registry];
  const kept = new KeptBack();
  const collect = () => kept.flush();
  const requests = new Counter({
    name: 'dse_gateway_requests_total',
    help: "Inference requests that were given an upstream's answer, by its status; `target` is the model there",
    ...{ labelNames: ['model', 'upstream', 'target', 'status'], registers, collect },
  });
  const failures = new Counter({
    name: 'dse_gateway_failures_total',
    help: "Requests that were not: the status of the gateway's own answer, client-gone, or broken where an answer broke off",
    ...{ labelNames: ['model', 'reason'], registers },
  });
  const retries = new Counter({
    name: 'dse_gateway_retries_total',
    help: 'Requests sent on to another target because this one surely had not begun on them',
    ...{ labelNames: ['model', 'upstream'], registers },
  });
  const total = new Histogram({
    name: 'dse_gateway_request_seconds',
    help: 'Time from the head of an inference request to the end of its answer',
    ...{ labelNames: ['model'], buckets: BUCKETS_S, registers, collect },
  });
  const upstreamTime = new Histogram({
    name: 'dse_gateway_upstream_seconds',
    help: "Time from sending a request on to the head of the upstream's answer",
    ...{ labelNames: ['model', 'upstream', 'target'], buckets: BUCKETS_S, registers, collect },
  });
  const inFlight = new Map<string, number>();
  new Gauge({
    name: 'dse_gateway_in_flight',
    help: 'Requests that are with an upstream now',
    ...{ labelNames: ['upstream'], registers },
    collect() {
      for (const [upstream, count] of inFlight) this.set({ upstream }, count);
    },
  });
  const downs = new Counter({
    name: 'dse_gateway_upstream_downs_total',
    help: 'Times an upstream that was up went down',
    ...{ labelNames: ['upstream'], registers },
  });
  addHealth(registers, routes, upstreams);
  return {
    onAnswer({ name }, { upstream, model }, status, upstreamNs) {
      kept.add(() => {
        requests.inc({ model: name, upstream: upstream.name, target: model, status: String(status) });
        if (upstreamNs !== undefined) {
          upstreamTime.observe({ model: name, upstream: upstream.name, target: model }, upstreamNs / NS_PER_S);
        }
      });
    },
    onRetry: ({ name }, { upstream }) => retries.inc({ model: name, upstream: upstream.name }),
    onFailure: (route, reason) => failures.inc({ model: route?.name ?? '', reason }),
    onSent: ({ upstream }, change) => inFlight.set(upstream.name, (inFlight.get(upstream.name) ?? 0) + change),
    onDone: ({ name }, totalNs) => kept.add(() => total.observe({ model: name }, totalNs / NS_PER_S)),
    onDown: ({ name }) => downs.inc({ upstream: name }),
  };
}

/** Most observations kept back: at two a request, those of so many requests take prom-client about as long as a few take the gateway. */
const MOST_KEPT = 256;

/** Observations that wait until someone reads the metrics or there are many: in a row, they cost prom-client a tenth of what they do between requests. */
class KeptBack {
  #observations: (() => void)[] = [];

  add(observe: () => void): void {
    if (this.#observations.push(observe) >= MOST_KEPT) this.flush();
  }

  flush(): void {
    const observations = this.#observations;
    this.#observations = [];
    for (const observe of observations) observe();
  }
}

function addHealth(registers: Registry[], routes: () => Routes, upstreams: () => readonly Upstream[]): void {
  new Gauge({
    name: 'dse_gateway_upstream_up',
    help: '1 where the upstream answers',
    ...{ labelNames: ['upstream'], registers },
    collect() {
      for (const { name, isUp } of upstreams()) this.set({ upstream: name }, isUp ? 1 : 0);
    },
  });
  const eachTarget = (name: string, help: string, read: (target: Target, route: Route) => number) =>
    new Gauge({
      ...{ name, help, labelNames: ['model', 'upstream', 'target'], registers },
      collect() {
        this.reset();
        for (const route of routes().list()) {
          for (const target of route.targets) {
            this.set({ model: route.name, upstream: target.upstream.name, target: target.model }, read(target, route));
          }
        }
      },
    });
  eachTarget('dse_gateway_target_ready', '1 where the upstream has the model ready', (target) =>
    stateOf(target) === 'ready' ? 1 : 0,
  );
  eachTarget(
    'dse_gateway_target_share',
    'Share (0 to 1) of the requests for the model that the target has while all are ready',
    ({ share }, { targets }) => share / targets.reduce((sum, other) => sum + other.share, 0),
  );
}
