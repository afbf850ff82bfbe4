import type { Problem } from '../errors.ts';
import { findLeftovers, removeLeftovers } from '../launch/index.ts';

/** Removes what runs that were killed left behind, and says what it was. Runs that are still alive are not touched. */
export async function removeDeadRuns(): Promise<readonly Problem[]> {
  const { removed, problems } = await removeLeftovers(await findLeftovers());
  if (removed.length === 0) return problems;
  const kinds = ['process', 'container', 'cgroup', 'folder'] as const;
  const found = kinds
    .map((kind) => ({ kind, count: removed.filter((leftover) => leftover.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${kind}: ${count}`);
  const notice = {
    what: `an earlier run was killed and left something behind (${found.join(', ')})`,
    hint: 'It was removed.',
  };
  return [notice, ...problems];
}
