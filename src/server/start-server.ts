import type { FastifyInstance } from 'fastify';
import { LaunchError, messageOf } from '../errors.ts';
import { buildApp } from './app.ts';
import { BufferPool } from './buffer-pool.ts';
import { ModelRepository } from './repository/index.ts';
import type { RunningApp, ServerSettings } from './types.ts';

const DEFAULT_BODY_LIMIT_BYTES = 256e6;

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
  const repository = new ModelRepository(
    models,
    { folder, maxLoaded, pool },
    {
      onDeath({ name, version }, reason) {
        onError(new Error(`the model "${name}", version "${version}", died: ${messageOf(reason)}`));
        if (repository.list().length === 1) onLastDeath(reason);
      },
      onFault: (_model, error) => onError(error),
    },
  );
  try {
    await repository.loadAtStart();
    return await serve(repository, settings, { pool, died, onError });
  } catch (error) {
    await repository[Symbol.asyncDispose]();
    throw error;
  }
}

interface Surroundings {
  readonly pool: BufferPool;
  readonly died: Promise<Error>;
  readonly onError: (error: unknown) => void;
}

async function serve(
  repository: ModelRepository,
  settings: ServerSettings,
  { pool, died, onError }: Surroundings,
): Promise<RunningApp> {
  const { host, port, bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES } = settings;
  const app = buildApp(repository, { pool, bodyLimitBytes, onError });
  const url = await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    throw listenError(host, port, error);
  });
  let onClosed = () => {};
  const closed = new Promise<undefined>((resolve) => {
    onClosed = () => resolve(undefined);
  });
  return {
    url,
    modelNames: [...new Set(repository.list().flatMap(({ name, loaded }) => (loaded === undefined ? [] : [name])))],
    ended: Promise.race([died, closed]),
    async [Symbol.asyncDispose]() {
      await drain(app);
      await repository[Symbol.asyncDispose]();
      onClosed();
    },
  };
}

/** Stops accepting and waits until what is in flight has been answered, for `DRAIN_TIMEOUT_MS` at most. */
async function drain(app: FastifyInstance): Promise<void> {
  // Closing a server ends only the connections that are idle at that moment; those busy then would be kept alive after their answer.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_INTERVAL_MS);
  const giveUp = setTimeout(() => app.server.closeAllConnections(), DRAIN_TIMEOUT_MS);
  await app.close();
  clearInterval(sweep);
  clearTimeout(giveUp);
}

function listenError(host: string, port: number, error: NodeJS.ErrnoException): LaunchError {
  const where = `${host}:${port}`;
  switch (error.code) {
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
