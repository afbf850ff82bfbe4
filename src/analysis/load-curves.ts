import { numberCombinations } from './configurations.ts';
import type { Configurations } from './types.ts';

/** Throughput and latency of one server configuration at its loads, by throughput. */
export interface LoadCurve {
  /** Latency response. */
  readonly response: string;
  readonly points: readonly { readonly configuration: number; readonly throughput: number; readonly latency: number }[];
  /** The configuration at the knee; undefined with fewer than three loads, and where open and closed loops are mixed. */
  readonly knee: number | undefined;
}

/**
 * The load curve of every server configuration, its knee where throughput over latency (Kleinrock's power) is greatest: beyond it latency grows by a larger share than throughput.
 *
 * @param throughput - mean by configuration
 * @param latency - mean by configuration
 * @param closedLoads - levels of `load` whose clients wait for answers: they lie on no common curve with open loops
 * Source: Kleinrock (1979), "Power and deterministic rules of thumb for probabilistic problems in computer communications", ICC.
 */
export function findLoadCurves(
  configurations: Configurations,
  response: string,
  throughput: Float64Array,
  latency: Float64Array,
  closedLoads: readonly string[] = [],
): LoadCurve[] {
  const load = configurations.factors.indexOf('load');
  if (load < 0) return [];
  const others = configurations.factors.flatMap((_, index) =>
    index === load
      ? []
      : [
          {
            levels: configurations.levels[index] as readonly string[],
            codes: configurations.codes[index] as Int32Array,
          },
        ],
  );
  const { ids, count } = numberCombinations(others, configurations.count);
  const groups = Array.from({ length: count }, (): LoadCurve['points'][number][] => []);
  for (const [configuration, id] of ids.entries()) {
    const point = {
      configuration,
      throughput: throughput[configuration] as number,
      latency: latency[configuration] as number,
    };
    if (point.throughput > 0 && point.latency > 0) groups[id]?.push(point);
  }
  return groups
    .filter((points) => points.length > 1)
    .map((points) => {
      points.sort((a, b) => a.throughput - b.throughput);
      const power = (point: LoadCurve['points'][number]) => point.throughput / point.latency;
      const knee = points.reduce((best, point) => (power(point) > power(best) ? point : best));
      const levels = configurations.levels[load] as readonly string[];
      const isClosed = ({ configuration }: LoadCurve['points'][number]) =>
        closedLoads.includes(levels[configurations.codes[load]?.[configuration] as number] as string);
      const isMixed = new Set(points.map(isClosed)).size > 1;
      return { response, points, knee: points.length < 3 || isMixed ? undefined : knee.configuration };
    });
}
