import { KserveError, parseJsonObject } from '../kserve/index.ts';
import type { RouteSettings } from './types.ts';
import type { Answer, ModelStates, Upstream } from './upstream.ts';

/** A version of a model as a server's index lists it. */
export interface IndexEntry {
  readonly name: string;
  readonly version?: string;
  readonly state?: string;
  readonly reason?: string;
}

export const INDEX_PATH = '/v2/repository/index';

/**
 * The state of every model an upstream lists; a model is ready where one of its versions is.
 *
 * Source: Open Inference Protocol, "Model Repository Extension". A server without it has to have its models written down.
 * @throws KserveError where it has no such list
 */
export async function readListed(upstream: Upstream): Promise<ModelStates> {
  const states = new Map<string, string | undefined>();
  for (const { name, state, reason } of await readIndex(upstream)) {
    if (state === 'READY') states.set(name, undefined);
    else if (!states.has(name)) states.set(name, reason || `it is ${state ?? 'in an unknown state'}`);
  }
  return states;
}

/** @throws KserveError where the upstream has no index */
export async function readIndex(upstream: Upstream): Promise<IndexEntry[]> {
  const answer = await upstream.ask('POST', INDEX_PATH, '{}');
  if (answer.status !== 200) throw new KserveError(502, `it has no list of its models: ${inShort(answer)}`);
  const entries = parseEntries(answer.text);
  if (entries === undefined) throw new KserveError(502, 'its list of models is no JSON array');
  return entries.filter(
    (entry): entry is IndexEntry => typeof (entry as Partial<IndexEntry> | null)?.name === 'string',
  );
}

function parseEntries(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The state of the models that routes name, each asked for its readiness. */
export function readNamed(routes: readonly RouteSettings[]): (upstream: Upstream) => Promise<ModelStates> {
  return async (upstream) => {
    const targets = routes.flatMap((route) => route.targets).filter((target) => target.upstream === upstream.name);
    const names = [...new Set(targets.map(({ model }) => model))];
    return new Map(await Promise.all(names.map(async (name) => [name, await readReadiness(upstream, name)] as const)));
  };
}

async function readReadiness(upstream: Upstream, model: string): Promise<string | undefined> {
  const answer = await upstream.ask('GET', `/v2/models/${encodeURIComponent(model)}/ready`);
  return answer.status === 200 ? undefined : inShort(answer);
}

/** An answer in a line, as a reason. */
function inShort({ status, text }: Answer): string {
  try {
    const { error } = parseJsonObject(Buffer.from(text), 502, 'the answer');
    return typeof error === 'string' ? `it answers ${status}: ${error.slice(0, 200)}` : `it answers ${status}`;
  } catch {
    return `it answers ${status}`;
  }
}
