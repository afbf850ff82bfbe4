import { numberCombinations } from './configurations.ts';
import { correlate } from './correlation.ts';
import { chooseScale } from './response-scale.ts';
import type { Configurations, CorrelationOutcome, ResponseSource } from './types.ts';

/** How well a figure that is cheap to have tells a served response. */
export interface Prediction {
  readonly predictor: string;
  readonly response: string;
  /** `all`, or `factor=value`. */
  readonly context: string;
  /** Distinct values of the predictor, over which the correlation goes. */
  readonly n: number;
  readonly configurations: number;
  readonly outcome: CorrelationOutcome;
}

/** Columns that cost less than a trial under load: of the model itself, of one inference, of one closed loop. */
export const CHEAP_METRICS: readonly string[] = [
  ...['macs', 'params', 'model_size_mb', 'bare_latency_ms', 'bare_throughput_ips'],
  ...['compute_ms', 'capacity_rps'],
];

/**
 * Correlations of cheap metrics with served responses, over all configurations and within each value of the factors named.
 *
 * Configurations with the same value of the predictor, as all of one model have of its multiply-adds, are taken together as one point, their mean (of logarithms, for times, energies
 * and rates): counted one by one they would pass three models for a hundred observations. A response that was measured once for each launch counts so, against the mean of the predictor over
 * the loads of the server, and within no load; a predictor that was is the same at every load.
 * @param sources - every response once, as `findSources` gives them
 */
export function findPredictions(
  sources: readonly ResponseSource[],
  predictors: readonly string[],
  responses: readonly string[],
  within: readonly string[],
): Prediction[] {
  const sourceOf = (name: string) => sources.find(({ means }) => means.has(name)) as ResponseSource;
  const carry = carryMeans(sources);
  return listGroups(sources, within).flatMap((group) =>
    predictors.flatMap((predictor) =>
      responses.flatMap((response): Prediction[] => {
        const source = sourceOf(response);
        const isMember = memberTest(source.configurations, group);
        if (response === predictor || isMember === undefined) return [];
        const points = gatherPoints(carry(predictor, source), response, source, isMember);
        if (points.total === 0) return [];
        const { x, y, total } = points;
        const count = x.length;
        const outcome =
          count < 3
            ? {
                reason: `${predictor} has ${count} distinct ${count === 1 ? 'value' : 'values'}; a correlation needs 3`,
              }
            : correlate(x, y);
        return [{ predictor, response, context: group.context, n: count, configurations: total, outcome }];
      }),
    ),
  );
}

/** All configurations, or those of one level of a factor. */
interface Group {
  readonly context: string;
  readonly factor?: string;
  readonly level?: string;
}

function listGroups([trials]: readonly ResponseSource[], within: readonly string[]): Group[] {
  const { factors, levels } = (trials as ResponseSource).configurations;
  return [
    { context: 'all' },
    ...within.flatMap((factor) =>
      (levels[factors.indexOf(factor)] as readonly string[]).map((level) => ({
        context: `${factor}=${level}`,
        factor,
        level,
      })),
    ),
  ];
}

/** Whether a configuration belongs to the group; undefined where the factor is none of these configurations. */
function memberTest({ factors, levels, codes }: Configurations, { factor, level }: Group) {
  if (factor === undefined) return () => true;
  const index = factors.indexOf(factor);
  if (index < 0) return undefined;
  const code = (levels[index] as readonly string[]).indexOf(level as string);
  return (configuration: number) => codes[index]?.[configuration] === code;
}

/** The means of a predictor over the configurations of a source, whichever source it is counted in. */
function carryMeans(sources: readonly ResponseSource[]) {
  const [trials, servers] = sources;
  const serverOf = trials && servers && matchServers(trials.configurations, servers.configurations);
  return (name: string, to: ResponseSource): Float64Array => {
    const own = to.means.get(name);
    if (own !== undefined || serverOf === undefined) return own as Float64Array;
    if (to === trials) {
      const ofServers = servers?.means.get(name) as Float64Array;
      return Float64Array.from(serverOf, (server) => ofServers[server] as number);
    }
    return averageByServer(trials?.means.get(name) as Float64Array, serverOf, to.configurations.count);
  };
}

/** By configuration the server it is a load of; both were coded from the same columns. */
function matchServers(trials: Configurations, servers: Configurations): Int32Array {
  const count = servers.count + trials.count;
  const coded = servers.factors.map((factor, at) => {
    const codes = new Int32Array(count);
    codes.set(servers.codes[at] as Int32Array);
    codes.set(trials.codes[trials.factors.indexOf(factor)] as Int32Array, servers.count);
    return { levels: servers.levels[at] as readonly string[], codes };
  });
  // Servers stand first and are distinct, so that each keeps its number.
  return numberCombinations(coded, count).ids.subarray(servers.count);
}

function averageByServer(means: Float64Array, serverOf: Int32Array, count: number): Float64Array {
  const sums = new Float64Array(count);
  const counts = new Float64Array(count);
  for (const [configuration, server] of serverOf.entries()) {
    const value = means[configuration] as number;
    if (Number.isNaN(value)) continue;
    sums[server] = (sums[server] as number) + value;
    counts[server] = (counts[server] as number) + 1;
  }
  return sums.map((sum, server) => sum / (counts[server] as number));
}

/** One point for each distinct value of the predictor, and how many configurations they are. */
function gatherPoints(
  predictor: Float64Array,
  response: string,
  { means }: ResponseSource,
  isMember: (configuration: number) => boolean,
) {
  const served = means.get(response) as Float64Array;
  const isLog = chooseScale(response, served) === 'log';
  const byValue = new Map<number, number[]>();
  let total = 0;
  for (const [configuration, value] of predictor.entries()) {
    const answer = served[configuration] as number;
    if (!isMember(configuration) || Number.isNaN(value) || Number.isNaN(answer)) continue;
    total++;
    const known = byValue.get(value);
    if (known === undefined) byValue.set(value, [isLog ? Math.log(answer) : answer]);
    else known.push(isLog ? Math.log(answer) : answer);
  }
  return {
    x: Float64Array.from(byValue.keys()),
    y: Float64Array.from(byValue.values(), (values) => values.reduce((sum, one) => sum + one, 0) / values.length),
    total,
  };
}
