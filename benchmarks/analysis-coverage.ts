/**
 * How often every interval over replicates, configurations and contexts is printed, and how often it covers the truth, on simulated experiments whose truth is known; for tests by permutation, how
 * often they raise no false alarm at 5 %.
 *
 * One line an interval and design: nominal confidence, share of the printed intervals that cover (with the standard error of the simulation), share of experiments that printed one. An
 * interval may be wider than it says, which costs sharpness and misleads nobody; ends with 1 where one covers less than 93 %, give or take twice the standard error. The
 * intervals over the requests of a queue are in `interval-coverage.ts`.
 *
 * Takes about 2 min on one core. Usage: analysis-coverage.ts [experiments a line, 2000; a tenth for the slow ones] [part of an interval's name]
 */
import { createRng, deriveSeed } from '../src/rng.ts';
import { COVERAGE_DESIGNS } from '../test/analysis/coverage-designs.ts';

const runs = Number(process.argv[2] ?? 2000);
const part = process.argv[3] ?? '';
const NOMINAL = 0.95;
const LIMITS = { lowest: 0.93, highest: 0.97 };
const notes: string[] = [];

const percent = (share: number) => (100 * share).toFixed(1);
console.log(`${'interval'.padEnd(44)}${'design'.padEnd(66)} nominal covered    +-  printed`);
for (const { interval, design, simulate, isSlow } of COVERAGE_DESIGNS) {
  if (!interval.includes(part)) continue;
  const count = isSlow ? Math.ceil(runs / 10) : runs;
  const outcomes = Array.from({ length: count }, (_, run) => simulate(createRng(deriveSeed(run, interval, design))));
  const printed = outcomes.filter((outcome) => outcome !== undefined);
  const covered = printed.filter(Boolean).length / printed.length;
  const error = Math.sqrt((covered * (1 - covered)) / printed.length);
  const remark =
    covered + 2 * error < LIMITS.lowest ? 'TOO NARROW' : covered - 2 * error > LIMITS.highest ? 'wide' : '';
  if (remark === 'TOO NARROW') notes.push(`${interval}, ${design}`);
  const cells = [percent(NOMINAL), percent(covered), percent(error), percent(printed.length / count)];
  console.log(`${interval.padEnd(44)}${design.padEnd(66)}${cells.map((cell) => cell.padStart(8)).join('')} ${remark}`);
}
console.log(notes.length === 0 ? '\nnone covers less than it says' : `\ntoo narrow: ${notes.join('; ')}`);
process.exitCode = notes.length === 0 ? 0 : 1;
