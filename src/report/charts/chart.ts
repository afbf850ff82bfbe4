/** One field of the rows a chart is drawn from. */
export type ChartColumn = readonly (string | number | boolean | null)[];

/** A picture: which spec, what to fill into it, and the data by the names that the spec gives them. Columns may be shared between charts; the page holds each once. */
export interface Chart {
  /** Unique on the page, fit for a file name. */
  readonly id: string;
  /** What the picture shows, for its heading and for those who do not see it. */
  readonly title: string;
  /** Name of the spec under `analysis/charts/`, without its ending. */
  readonly spec: string;
  /** By placeholder: what takes the place of every string that is `{{name}}` in the spec. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, Readonly<Record<string, ChartColumn>>>>;
}

/** The rows of a data set, as Vega takes them. */
export function chartRows(columns: Readonly<Record<string, ChartColumn>>): Record<string, unknown>[] {
  const names = Object.keys(columns);
  const [first] = Object.values(columns);
  return Array.from(first ?? [], (_, row) => Object.fromEntries(names.map((name) => [name, columns[name]?.[row]])));
}

/** Columns from rows that all have the same keys. */
export function columnsOf(rows: readonly Readonly<Record<string, string | number | boolean | null>>[]) {
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)]));
}

/** Height of a picture with so many rows of bars or cells, pixels. */
export function rowsHeight(rows: number): number {
  return 26 * rows;
}

const LOG_FROM = 20;
const MANY_DECADES = 300;

/**
 * Scale and marks of an axis on which these values can be told apart, as the placeholders `<axis>Scale` and `<axis>Ticks`: logarithmic where all values are above zero and
 * span more than a factor of twenty, with marks at 1, 2 and 5 of each decade or, over many decades, at the decades alone.
 *
 * @param isShared - pictures that are given the same values get the same axis, whatever they show of them
 */
export function axisOf(axis: 'x' | 'y', values: Iterable<number>, isShared = false): Readonly<Record<string, unknown>> {
  const extent = extentOf(values);
  const [min, max] = extent;
  const domain = isShared && Number.isFinite(min) ? { domain: extent } : {};
  const isLog = min > 0 && max / min > LOG_FROM;
  return {
    [`${axis}Scale`]: isLog
      ? { type: 'log', nice: false, padding: 14, ...domain }
      : { type: 'linear', zero: false, nice: true, ...domain },
    [`${axis}Ticks`]: isLog ? decadeMarks(extent) : undefined,
  };
}

function decadeMarks([min, max]: readonly [number, number]): number[] {
  const steps = max / min > MANY_DECADES ? [1] : [1, 2, 5];
  const first = Math.floor(Math.log10(min));
  const decades = Array.from({ length: Math.ceil(Math.log10(max)) - first + 1 }, (_, index) => first + index);
  return decades
    .flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`)))
    .filter((value) => value >= min / 1.5 && value <= max * 1.5);
}

/** Smallest and largest of the values that are numbers. */
function extentOf(values: Iterable<number>): [number, number] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return [min, max];
}
