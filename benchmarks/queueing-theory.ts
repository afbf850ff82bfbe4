/**
 * The open loop held against queueing theory: one worker with a fixed service time, Poisson arrivals.
 *
 * For each utilisation, the wait that Lindley's recursion gives for the very same intended times beside the measured one: means, their ratio, and the median
 * absolute error per request, with the way there and back taken off (`way`, of requests that theory lets through at once: its median from each request, its mean from the
 * mean, because the way has a tail that a queue does not know); then the long-run mean rho * S / (2 (1 - rho)) of M/D/1, which a run of finite length only approaches. The
 * variation of the gaps between the sends, as they left, is 1 for Poisson arrivals and 0 for constant ones; `+-` is the standard error of the former, 1 / sqrt(n). Below, the
 * constant arrivals, and what a stall of 1 s does to p99 in an open and in a closed loop.
 * Ends with 1 where an error exceeds 0.5 ms, a ratio leaves 0.95 to 1.05, a variation 0.97 to 1.03 (constant: 0 to 0.05), or where the open loop hides the stall or the closed one shows it.
 *
 * Server on CPU 0, generator on CPU 1 where there are two. Needs a build (`npm run build`). Takes 7 min.
 * Usage: queueing-theory.ts [seconds a run, 120] [service time ms, 10] [parts, 0.5,0.7,0.85,constant,stall]
 */
import { availableParallelism } from 'node:os';
import { createLoadDriver, summarizeRequests } from '../src/load/index.ts';
import type { LoadDriver, OfferedLoad, RequestRecords } from '../src/load/types.ts';
import { lindleyWaits, roundTripsMs } from '../test/load/lindley.ts';
import { httpTarget, offer, startTestServer } from '../test/load/load-rig.ts';

const LIMIT_ERROR_MS = 0.5;
const LIMIT_RATIO = 0.05;
const LIMIT_POISSON_VARIATION = 0.03;
const LIMIT_CONSTANT_VARIATION = 0.05;
/** Between the p99 of a loop that saw a stall of 1 s and that of one that did not. */
const STALL_SHOWS_MS = 100;
const TIMEOUT_MS = 30_000;

const runS = Number(process.argv[2] ?? 120);
const serviceMs = Number(process.argv[3] ?? 10);
const parts = (process.argv[4] ?? '0.5,0.7,0.85,constant,stall').split(',');
const utilisations = parts.map(Number).filter((utilisation) => utilisation > 0);
const hasTwoCpus = process.platform === 'linux' && availableParallelism() >= 2;
let isWithin = true;

console.log(`service time ${serviceMs} ms, ${runS} s a run`);
printRow(
  'rho',
  'requests',
  'gap cv',
  '+-',
  'theory ms',
  'measured',
  'ratio',
  'error ms',
  'way p50',
  'way mean',
  'long run',
  'lag p99',
);
for (const utilisation of utilisations) {
  const rateRps = (utilisation * 1000) / serviceMs;
  const records = await measure(
    [serviceMs],
    { kind: 'open', rateRps, arrivals: 'poisson', seed: 42, connections: 64 },
    runS,
  );
  const rows = Array.from(records.intendedNs.keys()).sort(
    (a, b) => at(records.intendedNs, a) - at(records.intendedNs, b),
  );
  const intendedMs = rows.map((row) => at(records.intendedNs, row) / 1e6);
  const theoryMs = lindleyWaits(intendedMs, serviceMs);
  const excessMs = rows.map((row, index) => at(records.doneNs, row) / 1e6 - at(intendedMs, index) - serviceMs);
  const waysMs = roundTripsMs(excessMs, theoryMs);
  const [medianWayMs, meanWayMs] = [median(waysMs), mean(waysMs)];
  const errorMs = median(excessMs.map((excess, index) => Math.abs(excess - medianWayMs - at(theoryMs, index))));
  const measuredMs = mean(excessMs) - meanWayMs;
  const ratio = measuredMs / mean(theoryMs);
  const variation = gapVariation(sendsMs(records));
  isWithin &&= errorMs < LIMIT_ERROR_MS && Math.abs(ratio - 1) < LIMIT_RATIO;
  isWithin &&= Math.abs(variation - 1) < LIMIT_POISSON_VARIATION;
  printRow(
    utilisation,
    records.count,
    variation,
    1 / Math.sqrt(records.count),
    mean(theoryMs),
    measuredMs,
    ratio,
    errorMs,
    medianWayMs,
    meanWayMs,
    (utilisation * serviceMs) / (2 * (1 - utilisation)),
    summarize(records).send_lag_p99_ms ?? Number.NaN,
  );
}

if (parts.includes('constant')) {
  const records = await measure(
    [serviceMs],
    { kind: 'open', rateRps: 50, arrivals: 'constant', seed: 42, connections: 64 },
    10,
  );
  const variation = gapVariation(sendsMs(records));
  isWithin &&= variation < LIMIT_CONSTANT_VARIATION;
  console.log(`\nconstant arrivals, 50 requests/s: gap cv ${variation.toFixed(3)}`);
}

if (parts.includes('stall')) {
  console.log('\na stall of 1 s in the middle of 6 s, service time 2 ms');
  const openP99Ms = await printStall({ kind: 'open', rateRps: 200, arrivals: 'poisson', seed: 4, connections: 64 });
  const closedP99Ms = await printStall({ kind: 'closed', concurrency: 1 });
  isWithin &&= openP99Ms > STALL_SHOWS_MS && closedP99Ms < STALL_SHOWS_MS;
}
console.log(
  `\nerror under ${LIMIT_ERROR_MS} ms, means within ${LIMIT_RATIO * 100} %, gaps within ${LIMIT_POISSON_VARIATION} of 1 and ${LIMIT_CONSTANT_VARIATION} of 0: ${isWithin ? 'met' : 'missed'}`,
);
process.exitCode = isWithin ? 0 : 1;

async function measure(server: readonly number[], load: OfferedLoad, seconds: number): Promise<RequestRecords> {
  await using target = await startTestServer('fixed-service', server, hasTwoCpus ? '0' : undefined);
  await using driver: LoadDriver = await createLoadDriver(hasTwoCpus ? { cpuset: '1' } : {});
  await driver.prepare(httpTarget(target.url), { timeoutMs: TIMEOUT_MS });
  return await offer(driver, load, seconds);
}

/** Prints what a load sees of a stall, and gives its p99. */
async function printStall(load: OfferedLoad): Promise<number> {
  const { latency_p50_ms, latency_p99_ms, latency_max_ms } = summarize(await measure([2, 3000, 1000], load, 6));
  console.log(
    `${load.kind.padEnd(7)} p50 ${latency_p50_ms?.toFixed(2)} ms  p99 ${latency_p99_ms?.toFixed(2)} ms  max ${latency_max_ms?.toFixed(2)} ms`,
  );
  return latency_p99_ms ?? Number.NaN;
}

/** When requests left, ascending. */
function sendsMs(records: RequestRecords): number[] {
  return Array.from(records.sentNs, (sentNs) => sentNs / 1e6)
    .filter((sentMs) => !Number.isNaN(sentMs))
    .sort((a, b) => a - b);
}

function summarize(records: RequestRecords): Readonly<Record<string, number>> {
  return summarizeRequests(records, {
    startNs: Math.min(...records.intendedNs),
    endNs: Number.MAX_SAFE_INTEGER,
    timeoutMs: TIMEOUT_MS,
  }).responses;
}

/** Standard deviation of the gaps over their mean. */
function gapVariation(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, index) => time - at(times, index));
  const meanGap = mean(gaps);
  return Math.sqrt(mean(gaps.map((gap) => (gap - meanGap) ** 2))) / meanGap;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return at(
    [...values].sort((a, b) => a - b),
    values.length >> 1,
  );
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? Number.NaN;
}

function printRow(...cells: readonly (string | number)[]): void {
  console.log(
    cells
      .map((cell) => (typeof cell === 'number' && !Number.isInteger(cell) ? cell.toFixed(3) : `${cell}`).padStart(9))
      .join(' '),
  );
}
