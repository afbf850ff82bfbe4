/**
 * One trial spoiled on purpose for each reason a verdict may have, and what dse said.
 *
 * Real processes throughout: real servers, the real generator and journal, signals, a fake powercap tree and, as root, a cgroup quota on dse itself. A reason may bring
 * others along, above all on a busy machine. Ends with 1 where a reason that was provoked is missing, or one is neither provoked nor
 * listed with why not. Takes about 2 min.
 *
 * Needs a build (`npm run build`). Usage: verdicts.ts [name of one provocation]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { REASON_CODES, REASONS } from '../src/store/index.ts';
import { NOT_PROVOKED, PROVOCATIONS, whyNoQuota } from '../test/run/provocations.ts';

const only = process.argv[2];
const seen = new Map<string, boolean>();

for (const [name, provoke] of Object.entries(PROVOCATIONS)) {
  if (only !== undefined && only !== name) continue;
  const why = name === 'under a quota on dse itself' ? whyNoQuota() : undefined;
  if (why !== undefined) {
    console.log(`${name}: left out, ${why}`);
    continue;
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'dse-verdicts-'));
  try {
    for (const { code, how, record } of await provoke(path.join(folder, 'run'))) {
      const reasons = record.state === 'done' ? record.reasons : [];
      seen.set(
        code,
        reasons.some((reason) => reason.code === code),
      );
      console.log(`\n${code} (${REASONS[code].weight})  ${how}`);
      console.log(`  ${record.state === 'done' ? record.verdict : `failed: ${record.reason}`}`);
      for (const reason of reasons)
        console.log(`  ${reason.code === code ? '>' : ' '} ${reason.code}: ${reason.detail}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

for (const [code, why] of Object.entries(NOT_PROVOKED)) console.log(`\n${code}  not provoked: ${why}`);
const missing = [...seen].filter(([, isSeen]) => !isSeen).map(([code]) => code);
const untried = REASON_CODES.filter((code) => !seen.has(code) && !(code in NOT_PROVOKED));
console.log(`\nprovoked and told: ${seen.size - missing.length} of ${seen.size}`);
if (missing.length > 0) console.log(`missing: ${missing.join(', ')}`);
if (untried.length > 0) console.log(`not tried: ${untried.join(', ')}`);
process.exitCode = missing.length > 0 || (untried.length > 0 && only === undefined) ? 1 : 0;
