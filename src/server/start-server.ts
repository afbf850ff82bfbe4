import type { FastifyInstance } from 'fastify';
import { type Engine, loadEngine } from '../engine/index.ts';
import { LaunchError, messageOf } from '../errors.ts';
import { buildApp } from './app.ts';
import { ServedModels } from './served-models.ts';
import type { RunningApp, ServerSettings } from './types.ts';

const DEFAULT_BODY_LIMIT_BYTES = 256e6;

/** How long requests in flight may take to be answered once the server is stopped, milliseconds. */
const DRAIN_TIMEOUT_MS = 5_000;

const SWEEP_INTERVAL_MS = 20;

/** The only version of a model that was started from a file. */
const FIRST_VERSION = '1';

export interface StartOptions {
  /** Called with errors that are the server's fault, for its log. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Loads the model and serves it; resolves when connections are accepted.
 * @throws ModelError where the model cannot be loaded
 * @throws LaunchError where the address cannot be listened on
 */
export async function startServer(settings: ServerSettings, options: StartOptions = {}): Promise<RunningApp> {
  const engine = await loadEngine(settings.modelFile, settings.engine);
  try {
    return await serve(engine, settings, options.onError ?? (() => {}));
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

async function serve(engine: Engine, settings: ServerSettings, onError: (error: unknown) => void): Promise<RunningApp> {
  const { host, port, modelName, bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES } = settings;
  const models = new ServedModels([{ name: modelName, version: FIRST_VERSION, engine }]);
  const app = buildApp(models, { bodyLimitBytes, onError });
  const url = await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    throw listenError(host, port, error);
  });
  return {
    url,
    ended: engine.ended,
    async [Symbol.asyncDispose]() {
      await drain(app);
      await engine[Symbol.asyncDispose]();
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
