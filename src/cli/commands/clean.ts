import { renderProblems } from '../../errors.ts';
import { describeLeftover, findLeftovers, removeLeftovers } from '../../launch/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

/** `dse clean`: removes what killed runs left behind; runs that are still going on are not touched. */
export async function clean(options: { readonly dryRun?: boolean; readonly json?: boolean }): Promise<ExitCode> {
  const leftovers = await findLeftovers();
  const { removed, problems } = options.dryRun ? { removed: [], problems: [] } : await removeLeftovers(leftovers);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ found: leftovers, removed, problems })}\n`);
  } else {
    const shown = options.dryRun ? leftovers : removed;
    const verb = options.dryRun ? 'found' : 'removed';
    process.stdout.write(shown.map((one) => `${verb} ${describeLeftover(one)} of run ${one.runLabel}\n`).join(''));
    if (leftovers.length === 0) process.stdout.write('Nothing was left behind.\n');
    if (problems.length > 0) process.stderr.write(`${renderProblems(problems)}\n`);
  }
  return problems.length > 0 ? EXIT.failed : EXIT.ok;
}
