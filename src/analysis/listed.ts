import type { Configurations, Front } from './types.ts';

/** A result table that would have more rows than this lists only what is on a front; nobody reads more, and writing them takes longer than all the analysis. */
export const MOST_ROWS_LISTED = 200_000;

/** Whether a table with so many rows for each configuration would have too many. */
export function isTooLong({ count }: Configurations, rowsEach: number): boolean {
  return count * rowsEach > MOST_ROWS_LISTED;
}

/** Per configuration, 1 where it is on any front. */
export function markOnAnyFront({ count }: Configurations, fronts: readonly Front[]): Uint8Array {
  const isOn = new Uint8Array(count);
  for (const { members, onFront } of fronts) {
    for (let place = 0; place < members.length; place++) {
      if (onFront[place] === 1) isOn[members[place] as number] = 1;
    }
  }
  return isOn;
}

/** Which tables list only configurations on a front, in a sentence; none where all list every one. */
export function noteShortTables(
  configurations: Configurations,
  fronts: readonly Front[],
  responseCount: number,
): string[] {
  const short = [
    ...(isTooLong(configurations, frontRowsEach(configurations, fronts)) ? ['pareto.csv'] : []),
    ...(isTooLong(configurations, responseCount) ? ['summary.csv'] : []),
  ];
  return short.length === 0
    ? []
    : [
        `of ${configurations.count} configurations ${short.join(' and ')} ${short.length === 1 ? 'lists' : 'list'} only those on a front, because more than ${MOST_ROWS_LISTED} rows are not written`,
      ];
}

/** Rows of `pareto.csv` to a configuration, on average. */
export function frontRowsEach({ count }: Configurations, fronts: readonly Front[]): number {
  return fronts.reduce((sum, { members }) => sum + members.length, 0) / Math.max(1, count);
}
