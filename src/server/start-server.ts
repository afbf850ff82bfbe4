import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { LaunchError, messageOf } from '../errors.ts';
import { buildApp } from './app.ts';
import { BufferPool } from './buffer-pool.ts';
import type { GrpcOptions, GrpcServer } from './grpc/start-grpc.ts';
import { ModelMetrics } from './metrics/model-metrics.ts';
import { addSystemMetrics } from './metrics/system-metrics.ts';
import { ModelRepository } from './repository/index.ts';
import { DEFAULT_BODY_LIMIT_BYTES, serverParameters } from './serving-parameters.ts';
import type { RunningApp, ServerSettings } from './types.ts';

/** Memory of requests kept between requests. */
const POOL_LIMIT_BYTES = 32e6;

/** How long requests in flight may take to be answered once the server is stopped, milliseconds. */
const DRAIN_TIMEOUT_MS = 5_000;

const SWEEP_INTERVAL_MS = 20;

export interface StartOptions {
  /** Called with errors that are the server's fault, for its log. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Loads the models and serves them; resolves when connections are accepted.
 * @throws ModelError where a model cannot be loaded
 * @throws LaunchError where the address cannot be listened on
 */
export async function startServer(settings: ServerSettings, options: StartOptions = {}): Promise<RunningApp> {
  const { onError = () => {} } = options;
  const { models, folder, maxLoaded } = settings;
  const pool = new BufferPool(POOL_LIMIT_BYTES);
  let onLastDeath: (reason: Error) => void = () => {};
  const died = new Promise<Error>((resolve) => {
    onLastDeath = resolve;
  });
  const registry = new Registry();
  const metrics = new ModelMetrics(registry, () => repository.list());
  addSystemMetrics(registry);
  const repository: ModelRepository = new ModelRepository(
    models,
    { folder, maxLoaded, pool },
    {
      onDeath({ name, version }, reason) {
        onError(new Error(`the model "${name}", version "${version}", died: ${messageOf(reason)}`));
        if (repository.list().length === 1) onLastDeath(reason);
      },
      onFault: (_model, error) => onError(error),
      watch: (name, version) => metrics.watch(name, version),
    },
  );
  try {
    await repository.loadAtStart();
    return await serve(repository, settings, { registry, pool, died, onError });
  } catch (error) {
    await repository[Symbol.asyncDispose]();
    throw error;
  }
}

interface Surroundings {
  readonly registry: Registry;
  readonly pool: BufferPool;
  readonly died: Promise<Error>;
  readonly onError: (error: unknown) => void;
}

async function serve(
  repository: ModelRepository,
  settings: ServerSettings,
  { registry, pool, died, onError }: Surroundings,
): Promise<RunningApp> {
  const { host, port, bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES } = settings;
  const app = buildApp(repository, {
    ...{ registry, pool, bodyLimitBytes, parameters: serverParameters(settings) },
    ...{ drainTimeoutMs: DRAIN_TIMEOUT_MS, onError },
  });
  const url = await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    throw listenError(host, port, error.code, error);
  });
  const grpc = await serveGrpc(repository, settings, { messageLimitBytes: bodyLimitBytes, pool, onError }).catch(
    async (error: unknown) => {
      await app.close();
      throw error;
    },
  );
  let onClosed = () => {};
  const closed = new Promise<undefined>((resolve) => {
    onClosed = () => resolve(undefined);
  });
  return {
    url,
    grpcAddress: grpc?.address,
    modelNames: [...new Set(repository.list().flatMap(({ name, loaded }) => (loaded === undefined ? [] : [name])))],
    ended: Promise.race([died, closed]),
    async [Symbol.asyncDispose]() {
      await Promise.all([drain(app, DRAIN_TIMEOUT_MS), grpc?.[Symbol.asyncDispose]()]);
      await repository[Symbol.asyncDispose]();
      onClosed();
    },
  };
}

/** The gRPC side, where it is asked for. */
async function serveGrpc(
  repository: ModelRepository,
  { host, grpcPort }: ServerSettings,
  options: Pick<GrpcOptions, 'messageLimitBytes' | 'pool' | 'onError'>,
): Promise<GrpcServer | undefined> {
  if (grpcPort === undefined) return undefined;
  const { startGrpc } = await loadGrpc();
  return startGrpc(repository, { host, port: grpcPort, drainTimeoutMs: DRAIN_TIMEOUT_MS, ...options }).catch(
    (error: unknown) => {
      throw grpcListenError(host, grpcPort, error);
    },
  );
}

/** Loaded where used: a server of REST alone needs none of it. */
export function loadGrpc() {
  return import('./grpc/index.ts');
}

/** An address that gRPC cannot be served on. grpc-js puts the system's error into words and drops its code. */
export function grpcListenError(host: string, port: number, error: unknown): LaunchError {
  const code = /\b(EADDRINUSE|EACCES|EADDRNOTAVAIL|ENOTFOUND)\b/.exec(messageOf(error))?.[1];
  return listenError(host, port, code, error);
}

/** Stops accepting and waits until what is in flight has been answered, for `timeoutMs` at most. */
export async function drain(app: FastifyInstance, timeoutMs: number): Promise<void> {
  // Closing a server ends only the connections that are idle at that moment; those busy then would be kept alive after their answer.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_INTERVAL_MS);
  const giveUp = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  await app.close();
  clearInterval(sweep);
  clearTimeout(giveUp);
}

/** An address that cannot be listened on, in the user's words. */
export function listenError(host: string, port: number, code: string | undefined, error: unknown): LaunchError {
  const where = `${host}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new LaunchError(
        {
          where,
          what: `port ${port} is taken`,
          hint: 'Stop what listens there, or choose another port (0 lets the system choose).',
        },
        error,
      );
    case 'EACCES':
      return new LaunchError(
        { where, what: `port ${port} needs more rights than this user has`, hint: 'Choose a port above 1023.' },
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new LaunchError(
        { where, what: `this machine has no address "${host}"`, hint: 'Use 127.0.0.1, or 0.0.0.0 for all addresses.' },
        error,
      );
    default:
      return new LaunchError(
        { where, what: `cannot listen: ${messageOf(error)}`, hint: 'Choose another address or port.' },
        error,
      );
  }
}
