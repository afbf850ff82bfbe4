import { combine, type Difference, differ, mean, type Sample, type Weighted } from './difference.ts';

/** A configuration on both sides. */
export interface Side {
  readonly base: Sample;
  readonly next: Sample;
}

/** Configurations of which trials share launches. */
export interface LaunchGroup {
  /** Places among all configurations. */
  readonly at: readonly number[];
  readonly sides: readonly Side[];
}

/** Configurations whose trials share launches, on either side, stand together. */
export function groupSides(sides: readonly Side[]): LaunchGroup[] {
  const parents = Int32Array.from(sides, (_, at) => at);
  const rootOf = (at: number): number => {
    let root = at;
    while (parents[root] !== root) root = parents[root] as number;
    parents[at] = root;
    return root;
  };
  for (const side of ['base', 'next'] as const) {
    const first = new Map<number, number>();
    for (const [at, one] of sides.entries()) {
      for (const launch of one[side].launches) {
        const other = first.get(launch);
        if (other === undefined) first.set(launch, at);
        else parents[rootOf(at)] = rootOf(other);
      }
    }
  }
  const groups = new Map<number, number[]>();
  for (const at of sides.keys()) {
    const root = rootOf(at);
    const known = groups.get(root);
    if (known === undefined) groups.set(root, [at]);
    else known.push(at);
  }
  return [...groups.values()].map((at) => ({ at, sides: at.map((index) => sides[index] as Side) }));
}

/**
 * The mean difference of configurations that share launches. What a launch has of its own is in all of them, so that launches are counted and not trials: by the means of launches that hold
 * all of these configurations; where some lack one, with errors added up as if they went together entirely, which is no narrower than the truth.
 */
export function combineLaunches(
  { at, sides }: LaunchGroup,
  differences: readonly Difference[],
  isLog: boolean,
  isPaired: boolean,
  z: number,
): Weighted {
  const weight = at.length;
  const own = at.map((index) => differences[index] as Difference);
  const [first] = own as [Difference, ...Difference[]];
  if (weight === 1) return { ...first, weight };
  const [base, next] = (['base', 'next'] as const).map((side) =>
    averageLaunches(
      sides.map((one) => one[side]),
      isLog,
    ),
  );
  if (base !== undefined && next !== undefined && Math.min(base.values.length, next.values.length) > 1) {
    const { method, ...whole } = differ(base, next, false, isPaired, z);
    return { ...whole, method: method.replace('replicates', 'launches'), weight };
  }
  const added = combine(own.map((one) => ({ ...one, weight: 1 })));
  if (own.some(({ standardError }) => Number.isNaN(standardError))) {
    return { ...added, standardError: Number.NaN, df: 0, sd: Number.NaN, method: first.method, weight };
  }
  const isTold = sides.every((one) => Math.min(one.base.values.length, one.next.values.length) > 1);
  if (!isTold) return { ...added, method: first.method, weight };
  const standardError = mean(own.map((one) => one.standardError));
  return { ...added, standardError, df: Math.min(...own.map(({ df }) => df)), method: first.method, weight };
}

/** The mean of each launch over some configurations on the scale they are compared on; undefined where a launch lacks one, unless what is there is all the same. */
function averageLaunches(samples: readonly Sample[], isLog: boolean): Sample | undefined {
  const byLaunch = new Map<number, { readonly block: string; readonly values: number[] }>();
  for (const { values, blocks, launches } of samples) {
    for (const [at, launch] of launches.entries()) {
      const value = isLog ? Math.log(values[at] as number) : (values[at] as number);
      const known = byLaunch.get(launch);
      if (known === undefined) byLaunch.set(launch, { block: blocks[at] as string, values: [value] });
      else known.values.push(value);
    }
  }
  const all = [...byLaunch];
  const isOnce =
    all.every(([, { values }]) => values.every((value) => value === values[0])) &&
    all.some(([, { values }]) => values.length > 1);
  if (!isOnce && all.some(([, { values }]) => values.length !== samples.length)) return undefined;
  return {
    values: all.map(([, { values }]) => (isOnce ? (values[0] as number) : mean(values))),
    blocks: all.map(([, { block }]) => block),
    launches: all.map(([launch]) => launch),
    widths: [],
  };
}
