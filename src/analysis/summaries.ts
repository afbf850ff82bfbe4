import { tCritical } from '../student-t.ts';
import { describe } from './moments.ts';
import type { Configurations, Summary } from './types.ts';

/**
 * Every response of every configuration over its usable replicates; configurations in which no replicate has the response are passed over.
 *
 * The interval is that of the mean over replicates, by Student's t: it takes replicates as independent and their means as near normal, and says nothing
 * about the spread of requests inside a trial.
 * @param responses - by name, one value per row, NaN where empty
 * @param confidence - between 0 and 1
 */
export function* summarizeReplicates(
  responses: ReadonlyMap<string, Float64Array>,
  { count, offsets, rows }: Configurations,
  confidence: number,
): Generator<Summary> {
  for (let configuration = 0; configuration < count; configuration++) {
    const replicates = rows.subarray(offsets[configuration], offsets[configuration + 1]);
    for (const [response, values] of responses) {
      const { n, mean, sd, min, max } = describe(Float64Array.from(replicates, (row) => values[row] as number));
      if (n === 0) continue;
      const base = { configuration, response, n, mean, min, max };
      if (n === 1) {
        yield { ...base, spread: undefined, method: 'one replicate: no interval' };
        continue;
      }
      const halfWidth = (tCritical(confidence, n - 1) * sd) / Math.sqrt(n);
      yield {
        ...base,
        spread: { sd, lo: mean - halfWidth, hi: mean + halfWidth },
        method: `t interval of the mean over replicates, ${Number((confidence * 100).toFixed(3))} %`,
      };
    }
  }
}
