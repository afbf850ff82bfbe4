import type { z } from 'zod';
import { type Problem, SpecError } from '../errors.ts';
import { gatewayFileSchema, gatewayJsonSchema, type WrittenGateway } from './gateway-schema.ts';
import { inReadingOrder, type Positions } from './positions.ts';
import { readYaml } from './read-yaml.ts';
import { describeRefusals } from './schema-problems.ts';
import { suggestName } from './wording.ts';

const EMPTY = 'List the servers in it, or start from a copy of configs/gateways/two-variants.yaml.';

/** What a gateway is told, every default filled in. Times in milliseconds. */
export interface GatewayFile {
  readonly host: string;
  readonly port: number;
  readonly seed: number;
  readonly grpcPort?: number;
  readonly upstreams: readonly { readonly name: string; readonly url: string; readonly grpc?: string }[];
  readonly models?: readonly {
    readonly name: string;
    readonly targets: readonly { readonly upstream: string; readonly model: string; readonly share: number }[];
  }[];
  readonly pollIntervalMs: number;
  readonly pollTimeoutMs: number;
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  readonly drainTimeoutMs: number;
}

/**
 * Reads the description of a gateway from a YAML text.
 * @throws SpecError with every problem, each with its line and column
 */
export function parseGatewayFile(text: string, file: string): GatewayFile {
  const { data, positions } = readYaml(text, file, EMPTY);
  return parseGateway(data, positions);
}

/**
 * The same from plain data with the keys of the file.
 * @throws SpecError with every problem, each where `positions` says
 */
export function parseGateway(data: unknown, positions: Pick<Positions, 'ofKey' | 'ofValue'>): GatewayFile {
  const result = gatewayFileSchema.safeParse(data);
  const refusals = result.success ? [] : describeRefusals(result.error, data, positions, gatewayJsonSchema());
  const servers = result.success ? serversOf(result.data) : readableServers(data);
  const problems = [
    ...refusals,
    ...checkAddresses(servers, positions),
    ...checkGrpc(servers, positions),
    ...checkTargets(servers, positions),
  ];
  if (problems.length > 0) throw new SpecError(inReadingOrder(problems));
  return toSettings((result as { readonly data: WrittenGateway }).data);
}

/** What the checks over several keys look at: all of a file, or what can be read of one that is refused. */
interface Servers {
  /** Also of servers whose address cannot be read. */
  readonly names: readonly string[];
  readonly urls: Readonly<Record<string, string>>;
  /** Names that have an address for gRPC; undefined where it is not asked for, or cannot be read. */
  readonly overGrpc: readonly string[] | undefined;
  readonly models: WrittenGateway['models'];
  /** Whether every target could be read. */
  readonly isWhole: boolean;
}

function serversOf({ upstreams, grpc, models }: WrittenGateway): Servers {
  const overGrpc = grpc && Object.keys(grpc.upstreams);
  return { names: Object.keys(upstreams), urls: upstreams, overGrpc, models, isWhole: true };
}

/** Entry by entry; a list of targets of which one cannot be read is left out. */
function readableServers(data: unknown): Servers {
  const { upstreams, grpc, models } = (data ?? {}) as {
    readonly upstreams?: unknown;
    readonly grpc?: { readonly upstreams?: unknown } | null;
    readonly models?: unknown;
  };
  const { upstreams: ofServers, models: ofModels } = gatewayFileSchema.shape;
  const readable = <T>(section: unknown, schema: z.ZodType<Record<string, T> | undefined>) =>
    Object.entries(isMap(section) ? section : {}).flatMap(([key, value]) =>
      Object.entries(schema.safeParse({ [key]: value }).data ?? {}),
    );
  const routes = readable(models, ofModels);
  return {
    names: isMap(upstreams) ? Object.keys(upstreams) : [],
    urls: Object.fromEntries(readable(upstreams, ofServers)),
    overGrpc: isMap(upstreams) && isMap(grpc?.upstreams) ? Object.keys(grpc.upstreams) : undefined,
    models: isMap(upstreams) ? Object.fromEntries(routes) : undefined,
    isWhole: isMap(models) && routes.length === Object.keys(models).length,
  };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toSettings({
  upstreams,
  grpc,
  models,
  poll,
  timeout,
  body_limit,
  drain,
  ...rest
}: WrittenGateway): GatewayFile {
  const routes =
    models &&
    Object.entries(models).map(([name, targets]) => ({
      name,
      targets: targets.map(({ upstream, model = name, share }) => ({ upstream, model, share })),
    }));
  return {
    ...rest,
    ...(grpc !== undefined && { grpcPort: grpc.port }),
    upstreams: Object.entries(upstreams).map(([name, url]) => {
      const address = grpc?.upstreams[name];
      return { name, url, ...(address !== undefined && { grpc: address }) };
    }),
    ...(routes === undefined ? {} : { models: routes }),
    pollIntervalMs: poll.interval,
    pollTimeoutMs: poll.timeout,
    timeoutMs: timeout,
    bodyLimitBytes: body_limit,
    drainTimeoutMs: drain,
  };
}

function checkAddresses({ urls }: Servers, positions: Pick<Positions, 'ofValue'>): Problem[] {
  const all = Object.entries(urls);
  return all.flatMap(([name, url], at) => {
    const [earlier] = all.slice(0, at).find(([, other]) => new URL(other).origin === new URL(url).origin) ?? [];
    if (earlier === undefined) return [];
    return [
      {
        where: positions.ofValue(['upstreams', name]),
        what: `"${name}" has the address of "${earlier}", ${url}`,
        hint: 'List each server once; give its models different shares instead.',
      },
    ];
  });
}

/** What is passed on over gRPC goes to any server that has the model, so that each needs an address. */
function checkGrpc({ names, overGrpc }: Servers, positions: Pick<Positions, 'ofKey' | 'ofValue'>): Problem[] {
  if (overGrpc === undefined) return [];
  const unknown = overGrpc
    .filter((name) => !names.includes(name))
    .map((name) => ({
      where: positions.ofKey(['grpc', 'upstreams', name]),
      what: `no server is named "${name}"`,
      hint: suggestName(name, names, 'servers'),
    }));
  const missing = names
    .filter((name) => !overGrpc.includes(name))
    .map((name) => ({
      where: positions.ofValue(['upstreams', name]),
      what: `the server "${name}" has no address for gRPC`,
      hint: `Give the port that it was started with (--grpc-port), e.g. grpc: { upstreams: { ${name}: "127.0.0.1:9001" } }, or leave "grpc" out.`,
    }));
  return [...unknown, ...missing];
}

function checkTargets({ names, models, isWhole }: Servers, positions: Pick<Positions, 'ofKey' | 'ofValue'>): Problem[] {
  if (models === undefined) return [];
  const wrong = Object.entries(models).flatMap(([route, targets]) =>
    targets.flatMap(({ upstream, model = route }, at) => {
      const where = positions.ofValue(['models', route, at, 'upstream']);
      if (!names.includes(upstream)) {
        return [{ where, what: `no server is named "${upstream}"`, hint: suggestName(upstream, names, 'servers') }];
      }
      const isRepeated = targets
        .slice(0, at)
        .some((other) => other.upstream === upstream && (other.model ?? route) === model);
      if (!isRepeated) return [];
      const what = `"${model}" on "${upstream}" stands twice under "${route}"`;
      return [{ where, what, hint: 'Add its shares up in one target.' }];
    }),
  );
  if (!isWhole) return wrong;
  const used = new Set(Object.values(models).flatMap((targets) => targets.map(({ upstream }) => upstream)));
  const unused = names
    .filter((name) => !used.has(name))
    .map((name) => ({
      where: positions.ofKey(['upstreams', name]),
      what: `the server "${name}" answers for no model, so that it would get nothing`,
      hint: 'Name it as the target of a model, or remove it.',
    }));
  return [...wrong, ...unused];
}
