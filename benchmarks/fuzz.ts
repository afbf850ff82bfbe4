/**
 * Both wire formats of the server under seeded bad input: cut, spoilt, mangled and oversized requests, odd header fields and request lines, slow, half-closed and reset
 * connections, calls given up, bytes that are no HTTP at all, and images that are damaged, mislabelled or made to inflate, with right requests among them.
 *
 * Each reply must be the protocol's error or a right answer where the request is still valid; no status past 499, no case without an end, right requests always answered
 * right. In the end the server runs, has no connection left over, and its resident memory over the last quarter of the cases (median of many readings) exceeds that over the second by at most
 * 15 % and 20 MB. The server has two of glibc's arenas: what more of them keep of freed memory grows for long (`test/server/fuzz/fuzz-server.ts`).
 * Prints a row for each kind: cases, and how many ended with an answer, with a refusal, and with the connection closed. Ends with 1 on any violation.
 *
 * Needs Linux (/proc) and a build (`npm run build`). Usage: fuzz.ts [cases, 100000] [seed, 1] [number of the first case, 0]
 */
import { fuzzServer } from '../test/server/fuzz/fuzz-server.ts';
import { printRow } from './serving-rig.ts';

const LIMIT_GROWTH = 0.15;
const LIMIT_GROWTH_MB = 20;
const MOST_SHOWN = 40;

const [cases = 100_000, seed = 1, first = 0] = process.argv.slice(2).map(Number);
const startMs = performance.now();
const report = await fuzzServer({ cases, seed, first });
const { counts, violations, warmMb, endMb, descriptorsBefore, descriptorsAfter, log, isAlive } = report;
printRow('cases', 'answered', 'refused', 'closed', ' kind');
for (const [kind, count] of Object.entries(counts)) {
  printRow(count.cases, count.answered, count.refused, count.closed, ` ${kind}`);
}
for (const violation of violations.slice(0, MOST_SHOWN)) console.log(violation);
if (log !== '') console.log(`The server's log: ${log.slice(0, 4_000)}`);
const total = Object.values(counts).reduce((sum, count) => sum + count.cases, 0);
console.log(
  `${total} cases with seed ${seed} in ${((performance.now() - startMs) / 1e3).toFixed(0)} s, ${violations.length} violations; the server ${isAlive ? 'runs' : 'ended'}; ` +
    `resident memory ${warmMb.toFixed(0)} MB over the second quarter, ${endMb.toFixed(0)} MB over the last; descriptors ${descriptorsBefore} before, ${descriptorsAfter} after`,
);
const isBounded = endMb <= warmMb * (1 + LIMIT_GROWTH) + LIMIT_GROWTH_MB;
process.exitCode =
  violations.length === 0 && log === '' && isAlive && isBounded && descriptorsAfter <= descriptorsBefore ? 0 : 1;
