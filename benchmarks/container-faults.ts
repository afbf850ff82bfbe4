/**
 * What each fault of a container, its engine or its run leaves behind, and what is left after `dse clean`; and limits as they were asked and as they were read back, on every engine.
 *
 * Each fault is brought about for real on an engine that works here, as in the tests. Left behind is what `dse clean --dry-run` would find of that run: containers, processes,
 * cgroups, folders. A row that is not as it should be is marked, and ends this with 1. Takes about 40 s.
 *
 * Needs Linux, root, a build (`npm run build`), an engine, and the image that `.ci/start-engines` makes. Usage: container-faults.ts [engine, all]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createContainerLauncher,
  createNativeLauncher,
  createRunLabel,
  type Launcher,
  type Limits,
  onlineCpus,
} from '../src/launch/index.ts';
import { FAULTS, seeFault } from '../test/launch/faults.ts';
import { findMissing, fixtureOptions, insideCommand } from '../test/launch/fixture-containers.ts';
import { fixtureCommand, fixtureSettings } from '../test/launch/fixture-process.ts';

const only = process.argv[2];
const scratch = mkdtempSync(join(tmpdir(), 'dse-container-faults-'));
let isMissed = false;

const engines: ('docker' | 'podman')[] = [];
for (const engine of (['docker', 'podman'] as const).filter((one) => only === undefined || one === only)) {
  const missing = await findMissing(engine);
  if (missing === undefined) engines.push(engine);
  else console.log(`${engine}: not tried, ${missing}\n`);
}

console.log('| engine | fault | what dse said | left behind | after dse clean |\n|---|---|---|---|---|');
for (const engine of engines) {
  for (const [name, fault] of Object.entries(FAULTS).filter(([, { only: one = engine }]) => one === engine)) {
    const missing = await fault.missing?.();
    if (missing !== undefined) {
      console.log(`| ${engine} | ${name} | not tried: ${missing} | | |`);
      continue;
    }
    const { said, left, after } = await seeFault(fault, engine, scratch);
    row([engine, name, said, left, after], fault.says.test(said) && fault.leaves.test(left) && after === 'nothing');
  }
}

console.log('\n| engine | limit | asked | read back |\n|---|---|---|---|');
const containers = engines.map((engine) =>
  createContainerLauncher(engine, { ...fixtureOptions, command: insideCommand }),
);
for (const launcher of [createNativeLauncher({ command: fixtureCommand }), ...containers]) await readBack(launcher);
rmSync(scratch, { recursive: true, force: true });
process.exitCode = isMissed ? 1 : 0;

async function readBack(launcher: Launcher): Promise<void> {
  const asked: Limits = { cpuset: `${onlineCpus()[0]}`, cpus: 0.5, memoryBytes: 256 * 2 ** 20 };
  const [problem] = await launcher.check([asked]);
  if (problem !== undefined) {
    console.log(`| ${launcher.engine} | all | not tried: ${problem.what} | |`);
    return;
  }
  const runLabel = createRunLabel();
  const request = { runLabel, settings: fixtureSettings('well'), limits: asked, readyTimeoutMs: 15_000 };
  const logFile = join(scratch, `${runLabel}.log`);
  await using server = await launcher.start({ ...request, logFile }, new AbortController().signal);
  for (const limit of Object.keys(asked) as (keyof Limits)[]) {
    const read = server.applied[limit];
    row([`${launcher.engine}: ${server.mechanism}`, limit, `${asked[limit]}`, `${read}`], read === asked[limit]);
  }
}

function row(cells: readonly string[], isRight: boolean): void {
  if (!isRight) isMissed = true;
  console.log(`| ${cells.join(' | ')}${isRight ? '' : ' MISSED'} |`);
}
