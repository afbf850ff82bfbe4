import { type IndexEntry, readIndex } from './read-models.ts';
import { type Route, stateOf, stateOfRoute, type Target } from './routes.ts';
import type { Upstream } from './upstream.ts';

interface VersionLine {
  readonly target: Target;
  readonly version: string | undefined;
  readonly state: string;
  readonly reason: string;
}

/**
 * The repository index of all upstreams, asked now: every version of every model under the gateway's names. A version is READY where one target has it ready; else `reason` says of
 * each target why not. An upstream without an index contributes the readiness of its models.
 */
export async function mergeIndexes(
  routes: readonly Route[],
  upstreams: readonly Upstream[],
  { isReadyOnly }: { readonly isReadyOnly: boolean },
): Promise<IndexEntry[]> {
  const indexes = new Map(
    await Promise.all(
      upstreams
        .filter(({ isUp }) => isUp)
        .map(async (upstream) => [upstream, await readIndex(upstream).catch(() => undefined)] as const),
    ),
  );
  return routes.flatMap((route) => {
    const lines = route.targets.flatMap((target) => linesOf(target, indexes.get(target.upstream)));
    const known = [...new Set(lines.flatMap(({ version }) => version ?? []))];
    // A target that tells no versions is one of those the others tell, or of the route alone.
    const versions: (string | undefined)[] = known.length === 0 ? [undefined] : known;
    const entries = versions.map((version) =>
      entryOf(
        route,
        version,
        lines.filter((line) => line.version === undefined || line.version === version),
      ),
    );
    return isReadyOnly ? entries.filter(({ state }) => state === 'READY') : entries;
  });
}

function linesOf(target: Target, index: readonly IndexEntry[] | undefined): VersionLine[] {
  const own = index?.filter(({ name }) => name === target.model) ?? [];
  if (own.length > 0) {
    return own.map(({ version, state = '', reason = '' }) => ({ target, version, state, reason }));
  }
  const state = stateOf(target) === 'ready' ? 'READY' : 'UNAVAILABLE';
  return [{ target, version: undefined, state, reason: target.upstream.reasonOf(target.model) ?? '' }];
}

function entryOf(route: Route, version: string | undefined, lines: readonly VersionLine[]): IndexEntry {
  const best = lines.find(({ state }) => state === 'READY') ?? lines[0];
  const state = version === undefined && stateOfRoute(route) === 'ready' ? 'READY' : (best?.state ?? 'UNAVAILABLE');
  const reasons = lines.map(({ target, reason }) => `${target.upstream.name}: ${reason || 'it is not loaded'}`);
  return {
    name: route.name,
    ...(version !== undefined && { version }),
    state,
    reason: state === 'READY' ? '' : reasons.join('; '),
  };
}
