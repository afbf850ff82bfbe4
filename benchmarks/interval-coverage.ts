/**
 * How often the intervals on latencies are printed and how often they cover the truth, on simulated queues whose mean and quantiles are known exactly.
 *
 * M/M/1 and M/D/1 queues at several utilisations, latencies in the order of the arrivals. First within one window, by its length; then over replicates; then windows that
 * go on until the interval is narrow, with the spread taken from all requests and from the first ones. A cell is the share of intervals that cover, in percent of those
 * printed; `-` where none was printed, which depends on the load and the number of requests alone. `=` is the median of a queue in which half the requests do not wait: it is
 * exactly the service time. Below each table the cells of a queue taken together, statistic by statistic; ends with 1 where one of those lies outside of 93 to 97 %. A single
 * cell has a standard error of 0.7 and strays by chance now and then.
 *
 * Takes about 5 min on one core. Usage: interval-coverage.ts [--quick]
 */
import {
  type Dependence,
  type Intervals,
  intervalsOverReplicates,
  intervalsWithinTrial,
  leastRequests,
  type Statistic,
} from '../src/analysis/index.ts';
import { createRng, deriveSeed } from '../src/rng.ts';
import { queueTruth, type Service, simulateQueue, type Truth } from '../test/analysis/queue-traces.ts';

const isQuick = process.argv.includes('--quick');
const RUNS = isQuick ? 100 : 1000;
const SERVICES: readonly Service[] = ['exponential', 'fixed'];
const UTILIZATIONS = isQuick ? [0.5, 0.7] : [0.3, 0.5, 0.7, 0.85, 0.9];
const STATISTICS: readonly Statistic[] = ['mean', 'p50', 'p90', 'p95', 'p99', 'p999'];
const LIMITS = { lowest: 0.93, highest: 0.97 };

/** Requests in a window. A light load needs no long ones. */
const lengthsAt = (utilization: number) =>
  utilization <= 0.7 ? [500, 2000, 8000, 30_000] : [500, 2000, 8000, 30_000, 100_000];
/** Replicates and requests in each. */
const REPLICATES: readonly (readonly [number, number])[] = [
  [3, 2000],
  [10, 500],
  [10, 2000],
  [3, 10_000],
  [10, 10_000],
];

/** Cells that stray, and those taken together that do. */
const strayCells: string[] = [];
const outside: string[] = [];
let cellCount = 0;

printHead('within a window', 'requests');
for (const service of SERVICES) {
  for (const utilization of UTILIZATIONS) reportWindows(service, utilization);
}
printHead('over replicates', 'replicates x requests');
for (const service of SERVICES) {
  for (const utilization of UTILIZATIONS) reportReplicates(service, utilization);
}
console.log('\nwindows that go on until the mean is within 5 %: coverage of the mean, median requests');
for (const utilization of [0.3, 0.5]) reportStopping(utilization);

console.log(`\nsingle cells outside of 93 to 97 %: ${strayCells.length} of ${cellCount}  ${strayCells.join('; ')}`);
console.log(`statistics of a queue, all cells together, outside: ${outside.length}  ${outside.join('; ')}`);
process.exitCode = outside.length === 0 || isQuick ? 0 : 1;

function reportWindows(service: Service, utilization: number): void {
  const lengths = lengthsAt(utilization);
  const tallies = lengths.map(() => createTally(queueTruth(service, utilization)));
  for (let run = 0; run < RUNS; run++) {
    const rng = createRng(deriveSeed(run, service, utilization, 'window'));
    const latencies = simulateQueue(service, utilization, lengths.at(-1) as number, rng);
    for (const [index, length] of lengths.entries()) {
      const options = { dependence: { kind: 'open', utilization } } as const;
      tallies[index]?.add(intervalsWithinTrial(latencies.subarray(0, length), options));
    }
  }
  printRows(service, utilization, lengths.map(String), tallies);
}

function reportReplicates(service: Service, utilization: number): void {
  const plans = utilization <= 0.7 ? REPLICATES.slice(0, 3) : REPLICATES;
  const longest = Math.max(...plans.map(([, requests]) => requests));
  const tallies = plans.map(() => createTally(queueTruth(service, utilization)));
  for (let run = 0; run < RUNS; run++) {
    const rng = createRng(deriveSeed(run, service, utilization, 'replicates'));
    const replicates = Array.from({ length: 10 }, () => simulateQueue(service, utilization, longest, rng));
    for (const [index, [count, requests]] of plans.entries()) {
      const options = { dependence: { kind: 'open', utilization } } as const;
      const used = replicates.slice(0, count).map((latencies) => latencies.subarray(0, requests));
      tallies[index]?.add(intervalsOverReplicates(used, options));
    }
  }
  printRows(
    service,
    utilization,
    plans.map((plan) => plan.join(' x ')),
    tallies,
  );
}

/** Looks every quarter of the least window, as a run that measures window after window does. */
function reportStopping(utilization: number): void {
  const dependence: Dependence = { kind: 'open', utilization };
  const { mean } = queueTruth('exponential', utilization);
  const least = leastRequests('mean', dependence);
  const cells = [false, true].map((isStoppedByWidth) => {
    const lengths: number[] = [];
    let covered = 0;
    for (let run = 0; run < RUNS / 5; run++) {
      const rng = createRng(deriveSeed(run, utilization, 'stopping'));
      const latencies = simulateQueue('exponential', utilization, 40 * least, rng);
      const stop = stopWhenNarrow(latencies, least, dependence, isStoppedByWidth);
      lengths.push(stop.requests);
      if (stop.lo <= mean && mean <= stop.hi) covered++;
    }
    lengths.sort((a, b) => a - b);
    const spread = isStoppedByWidth ? 'first requests' : 'all requests';
    return `spread from ${spread} ${((100 * covered) / lengths.length).toFixed(1)} % (${lengths[lengths.length >> 1]})`;
  });
  console.log(`M/M/1 ${utilization}  ${cells.join('  ')}`);
}

function stopWhenNarrow(latencies: Float64Array, least: number, dependence: Dependence, isStoppedByWidth: boolean) {
  for (let requests = least; ; requests += Math.ceil(least / 4)) {
    const { mean } = intervalsWithinTrial(latencies.subarray(0, requests), { dependence, isStoppedByWidth });
    if (mean.kind === 'none') throw new Error(mean.reason);
    if (requests >= latencies.length || mean.hi - mean.lo <= 0.1 * mean.estimate) return { ...mean, requests };
  }
}

interface Count {
  readonly printed: number;
  /** Of those, how many cover the truth. */
  readonly covered: number;
}

interface Tally {
  add(intervals: Intervals): void;
  /** Undefined where the statistic is the service time itself. */
  of(statistic: Statistic): Count | undefined;
}

function createTally(truth: Truth): Tally {
  const counts = new Map(STATISTICS.map((statistic) => [statistic, { printed: 0, covered: 0 }]));
  return {
    add(intervals) {
      for (const [statistic, count] of counts) {
        const outcome = intervals[statistic];
        if (outcome.kind === 'none') continue;
        count.printed++;
        if (outcome.lo <= truth[statistic] && truth[statistic] <= outcome.hi) count.covered++;
      }
    },
    of: (statistic) => (truth[statistic] === 1 ? undefined : counts.get(statistic)),
  };
}

function printHead(title: string, size: string): void {
  console.log(`\n${title}, ${RUNS} runs a row: % of the printed intervals that cover`);
  console.log(`queue  rho   ${size.padStart(22)}${STATISTICS.map((statistic) => statistic.padStart(8)).join('')}`);
}

function printRows(service: Service, utilization: number, sizes: readonly string[], tallies: readonly Tally[]): void {
  const name = `${service === 'exponential' ? 'M/M/1' : 'M/D/1'}  ${utilization.toFixed(2)}`;
  for (const [index, size] of sizes.entries()) {
    const counts = STATISTICS.map((statistic) => tallies[index]?.of(statistic));
    printRow(name, size, counts, strayCells);
    cellCount += counts.filter((count) => count !== undefined && count.printed > 0).length;
  }
  printRow(
    name,
    'together',
    STATISTICS.map((statistic) => addUp(tallies.map((tally) => tally.of(statistic)))),
    outside,
  );
}

function printRow(name: string, size: string, counts: readonly (Count | undefined)[], strays: string[]): void {
  const cells = counts.map((count, index) => {
    if (count === undefined) return '=';
    if (count.printed === 0) return '-';
    const share = count.covered / count.printed;
    const cell = (100 * share).toFixed(1);
    if (share < LIMITS.lowest || share > LIMITS.highest) strays.push(`${name} ${size} ${STATISTICS[index]} ${cell}`);
    return cell;
  });
  console.log(`${name}  ${size.padStart(22)}${cells.map((cell) => cell.padStart(8)).join('')}`);
}

function addUp(counts: readonly (Count | undefined)[]): Count | undefined {
  if (counts.includes(undefined)) return undefined;
  const total = (of: (count: Count) => number) => counts.reduce((sum, count) => sum + of(count as Count), 0);
  return { printed: total(({ printed }) => printed), covered: total(({ covered }) => covered) };
}
