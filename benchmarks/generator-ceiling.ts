/**
 * Up to which rate the load generator sends on time, against a server that answers at once: lag percentiles and CPU for each rate, and the share of the time that other processes
 * or a hypervisor kept generator and server from running (`lost %`), without which their lateness cannot be read.
 *
 * Generator on CPU 1, server on CPU 0 where there are two. Ends with 1 where 500 requests/s do not leave within 1 ms at the 99th percentile.
 *
 * Needs a build (`npm run build`). Usage: generator-ceiling.ts [seconds a rate, 3]
 */
import { availableParallelism } from 'node:os';
import { measureGeneratorCeiling } from '../src/load/index.ts';

const LIMIT_AT_RPS = 500;
const LIMIT_LAG_P99_MS = 1;

const stepS = Number(process.argv[2] ?? 3);
const hasTwoCpus = process.platform === 'linux' && availableParallelism() >= 2;
const { ceilingRps, steps } = await measureGeneratorCeiling({
  stepS,
  ratesRps: [100, 250, LIMIT_AT_RPS, 1000, 2000, 3000, 4000, 6000, 8000, 12_000],
  ...(hasTwoCpus && { generatorCpuset: '1', serverCpuset: '0' }),
});

const cell = (value: number | undefined, digits: number) => (value?.toFixed(digits) ?? '').padStart(10);
console.log(
  ['rate', 'offered', 'answered', 'lag p50 ms', 'lag p99 ms', 'late %', 'waited %', 'busy CPUs', 'lost %']
    .map((name) => name.padStart(10))
    .join(' '),
);
for (const step of steps) {
  console.log(
    [
      cell(step.rateRps, 0),
      cell(step.offeredRps, 0),
      cell(step.achievedRps, 0),
      cell(step.lagP50Ms, 3),
      cell(step.lagP99Ms, 3),
      cell(step.lateShare * 100, 2),
      cell(step.waitedShare * 100, 2),
      cell(step.busyCpus, 2),
      cell(step.cpuLostShare * 100, 2),
      step.isHeld ? '' : step.isDisturbed ? ' disturbed' : ' not held',
    ].join(' '),
  );
}
console.log(`ceiling ${ceilingRps} requests/s`);

const lagMs = steps.find(({ rateRps }) => rateRps === LIMIT_AT_RPS)?.lagP99Ms ?? Number.POSITIVE_INFINITY;
const isWithin = lagMs <= LIMIT_LAG_P99_MS;
console.log(
  `lag p99 at ${LIMIT_AT_RPS} requests/s: ${lagMs.toFixed(3)} ms, limit ${LIMIT_LAG_P99_MS} ms: ${isWithin ? 'met' : 'missed'}`,
);
process.exitCode = isWithin ? 0 : 1;
