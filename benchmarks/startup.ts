/**
 * Time of `dse --help` as a multiple of `node -e 0`, each run in turn on the same machine.
 *
 * One line with the median ratio against its limit; ends with 1 where it is missed. Needs a build. Usage: startup.ts [rounds, 15]
 */
import { execFileSync } from 'node:child_process';
import { median } from 'simple-statistics';
import { packageFile } from '../src/package-files.ts';
import { monotonicNs, NS_PER_MS } from '../src/units.ts';

const LIMIT = 3;
const rounds = Number(process.argv[2] ?? 15);

function timeMs(args: readonly string[]): number {
  const startNs = monotonicNs();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return (monotonicNs() - startNs) / NS_PER_MS;
}

const bare = ['-e', '0'];
const help = [packageFile('bin/dse.js'), '--help'];
// The first of each brings its files into memory.
timeMs(bare);
timeMs(help);
const pairs = Array.from({ length: rounds }, () => ({ bareMs: timeMs(bare), helpMs: timeMs(help) }));
const ratio = median(pairs.map(({ bareMs, helpMs }) => helpMs / bareMs));
const [bareMs, helpMs] = [median(pairs.map((pair) => pair.bareMs)), median(pairs.map((pair) => pair.helpMs))];
console.log(
  `dse --help ${helpMs.toFixed(0)} ms, node -e 0 ${bareMs.toFixed(0)} ms: ratio ${ratio.toFixed(2)} (limit ${LIMIT})`,
);
process.exitCode = ratio <= LIMIT ? 0 : 1;
