import { renderProblems } from '../../errors.ts';
import { describeLeftover, findLeftovers, removeLeftovers, removeOldImages } from '../../launch/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

/** `dse clean`: removes what killed runs left behind; runs that are still going on are not touched. */
export async function clean(options: {
  readonly dryRun?: boolean;
  readonly images?: boolean;
  readonly json?: boolean;
}): Promise<ExitCode> {
  const leftovers = await findLeftovers();
  const { removed, problems } = options.dryRun ? { removed: [], problems: [] } : await removeLeftovers(leftovers);
  const isForImages = options.images === true && options.dryRun !== true;
  const images = isForImages ? (await Promise.all([removeOldImages('docker'), removeOldImages('podman')])).flat() : [];
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ found: leftovers, removed, images, problems })}\n`);
  } else {
    const shown = options.dryRun ? leftovers : removed;
    const verb = options.dryRun ? 'found' : 'removed';
    process.stdout.write(shown.map((one) => `${verb} ${describeLeftover(one)} of run ${one.runLabel}\n`).join(''));
    process.stdout.write(images.map((tag) => `removed image ${tag}\n`).join(''));
    if (leftovers.length === 0) process.stdout.write('Nothing was left behind.\n');
    if (problems.length > 0) process.stderr.write(`${renderProblems(problems)}\n`);
  }
  return problems.length > 0 ? EXIT.failed : EXIT.ok;
}
