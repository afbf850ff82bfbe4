import { messageOf, type Problem, renderProblems } from '../../errors.ts';
import {
  describeLeftover,
  findLeftovers,
  listOldImages,
  listSilentEngines,
  removeImages,
  removeLeftovers,
} from '../../launch/index.ts';
import { findDeadCpuLocks } from '../../run/index.ts';
import { removeDeadLock } from '../../store/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

const ENGINES = [{ engine: 'docker' }, { engine: 'podman' }] as const;

/** `dse clean`: removes what killed runs left behind; runs that are still going on are not touched. */
export async function clean(options: {
  readonly dryRun?: boolean;
  readonly images?: boolean;
  readonly json?: boolean;
}): Promise<ExitCode> {
  const isDry = options.dryRun === true;
  const [leftovers, deadLocks, silent] = await Promise.all([findLeftovers(), findDeadCpuLocks(), listSilentEngines()]);
  const { removed, problems } = isDry ? { removed: [], problems: [] } : await removeLeftovers(leftovers);
  const locks = isDry ? { removed: [], problems: [] } : await removeLocks(deadLocks);
  const images =
    options.images === true ? (await Promise.all(ENGINES.map((host) => oldImages(host, isDry)))).flat() : [];
  const allProblems = [...problems, ...locks.problems];
  if (options.json) {
    const found = { found: leftovers, foundLocks: deadLocks, silentEngines: silent };
    const done = { removed, removedLocks: locks.removed, images, problems: allProblems };
    process.stdout.write(`${JSON.stringify({ ...found, ...done })}\n`);
  } else {
    const verb = isDry ? 'found' : 'removed';
    const lines = [
      ...(isDry ? leftovers : removed).map((one) => `${describeLeftover(one)} of run ${one.runLabel}`),
      ...(isDry ? deadLocks : locks.removed).map((file) => `lock ${file}`),
      ...images.map((tag) => `image ${tag}`),
    ];
    process.stdout.write(lines.map((line) => `${verb} ${line}\n`).join(''));
    if (leftovers.length + deadLocks.length === 0) process.stdout.write('Nothing was left behind.\n');
    for (const engine of silent) {
      process.stderr.write(
        `${engine} is installed but does not answer: containers that it may hold were not looked for. Run "dse clean" again once it does.\n`,
      );
    }
    if (allProblems.length > 0) process.stderr.write(`${renderProblems(allProblems)}\n`);
  }
  return allProblems.length > 0 ? EXIT.failed : EXIT.ok;
}

async function oldImages(host: (typeof ENGINES)[number], isDry: boolean): Promise<readonly string[]> {
  const tags = await listOldImages(host);
  return isDry ? tags : removeImages(host, tags);
}

/** Locks of CPUs that killed runs held. They refuse nobody, but tell of runs that are no more. */
async function removeLocks(files: readonly string[]) {
  const removed: string[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    try {
      await removeDeadLock(file);
      removed.push(file);
    } catch (error) {
      problems.push({
        where: file,
        what: `this lock of a run that was killed cannot be removed: ${messageOf(error)}`,
        hint: 'Run "dse clean" again as the user who ran the experiment, or as root.',
      });
    }
  }
  return { removed, problems };
}
