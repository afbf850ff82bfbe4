import { tCritical } from '../student-t.ts';
import { type Intervals, intervalsOverReplicates, type Statistic } from './intervals.ts';
import { describe } from './moments.ts';
import type { Configurations, ReplicateRequests, Summary } from './types.ts';

/** Responses that are a statistic of the latencies of the requests of a trial. */
const STATISTIC_OF: ReadonlyMap<string, Statistic> = new Map([
  ['latency_mean_ms', 'mean'],
  ['latency_p50_ms', 'p50'],
  ['latency_p90_ms', 'p90'],
  ['latency_p95_ms', 'p95'],
  ['latency_p99_ms', 'p99'],
  ['latency_p999_ms', 'p999'],
]);

export interface SummaryOptions {
  /** Of the intervals, between 0 and 1. */
  readonly confidence: number;
  /** The requests behind a row, where they are kept. */
  readonly requestsOf: (row: number) => ReplicateRequests | undefined;
}

/**
 * Every response of every configuration over its usable replicates; configurations in which no replicate has the response are passed over.
 *
 * Where the requests of all replicates are kept, the interval of a latency is that of their pooled requests, by the method whose coverage `benchmarks/interval-coverage.ts`
 * prints, and there is none where that method needs more. Any other interval is Student's t of the mean over replicates: it takes replicates as independent and
 * their means as near normal, and says nothing about the spread of requests inside a trial.
 * @param responses - by name, one value per row, NaN where empty
 * @param isListed - per configuration, 0 where it is passed over; absent: none is
 */
export function* summarizeReplicates(
  responses: ReadonlyMap<string, Float64Array>,
  { count, offsets, rows }: Configurations,
  { confidence, requestsOf }: SummaryOptions,
  isListed?: Uint8Array,
): Generator<Summary> {
  for (let configuration = 0; configuration < count; configuration++) {
    if (isListed?.[configuration] === 0) continue;
    const replicates = rows.subarray(offsets[configuration], offsets[configuration + 1]);
    const ofRequests = inCommon(replicates, confidence, requestsOf);
    for (const [response, values] of responses) {
      const { n, mean, sd, min, max } = describe(Float64Array.from(replicates, (row) => values[row] as number));
      if (n === 0) continue;
      const base = { configuration, response, n, mean, sd: n === 1 ? undefined : sd, min, max };
      const statistic = STATISTIC_OF.get(response);
      const intervals = statistic === undefined ? undefined : ofRequests();
      if (statistic === undefined || intervals === undefined) yield { ...base, ...tInterval(n, mean, sd, confidence) };
      else if (typeof intervals === 'string') yield { ...base, interval: undefined, method: intervals };
      else yield { ...base, ...intervalOf(intervals, statistic) };
    }
  }
}

function tInterval(n: number, mean: number, sd: number, confidence: number): Pick<Summary, 'interval' | 'method'> {
  if (n === 1)
    return { interval: undefined, method: 'one replicate: no interval; it takes two, and narrows with more' };
  const halfWidth = (tCritical(confidence, n - 1) * sd) / Math.sqrt(n);
  return {
    interval: { estimate: mean, lo: mean - halfWidth, hi: mean + halfWidth },
    method: `t interval of the mean over replicates, ${Number((confidence * 100).toFixed(3))} %`,
  };
}

function intervalOf(intervals: Intervals, statistic: Statistic): Pick<Summary, 'interval' | 'method'> {
  const outcome = intervals[statistic];
  if (outcome.kind === 'none') return { interval: undefined, method: `no interval: ${outcome.reason}` };
  const { estimate, lo, hi, method } = outcome;
  return { interval: { estimate, lo, hi }, method: `${method}, all requests pooled` };
}

/**
 * The intervals over the pooled requests of some replicates, found when first asked for; a reason where their latencies have none, undefined where the requests of one are not kept.
 *
 * Replicates of one configuration differ a little in measured capacity; the highest utilization among them decides, as the one that needs most.
 */
function inCommon(replicates: Int32Array, confidence: number, requestsOf: SummaryOptions['requestsOf']) {
  let found: { readonly intervals: Intervals | string | undefined } | undefined;
  const find = (): Intervals | string | undefined => {
    const requests: ReplicateRequests[] = [];
    for (const row of replicates) {
      const ofRow = requestsOf(row);
      if (ofRow === undefined) return undefined;
      requests.push(ofRow);
    }
    const loads = requests.map(({ load }) => load);
    if (loads.includes('changing')) return 'no interval: the load changes by design, so there is no one value';
    const dependence = loads
      .filter((load) => load !== 'changing')
      .reduce((most, load) =>
        load.kind === 'open' && most.kind === 'open' && load.utilization > most.utilization ? load : most,
      );
    const latencies = requests.map(({ latenciesMs }) => latenciesMs);
    return intervalsOverReplicates(latencies, { dependence, confidence });
  };
  return () => {
    found ??= { intervals: find() };
    return found.intervals;
  };
}
