import { Registry } from 'prom-client';
import { addSystemMetrics, drain, grpcListenError, listenError } from '../server/index.ts';
import { buildGateway, type GatewayParts } from './app.ts';
import type { GatewayGrpc } from './grpc/start-grpc.ts';
import { watchGateway } from './metrics.ts';
import { readListed, readNamed } from './read-models.ts';
import { Routes } from './routes.ts';
import { statusOf } from './status.ts';
import type { GatewaySettings, RunningGateway } from './types.ts';
import { Upstream } from './upstream.ts';

export interface GatewayOptions {
  /** Called when what is known of an upstream changes, with a sentence on it. */
  readonly onChange?: (sentence: string) => void;
  /** Called with errors that are the gateway's own fault. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Asks every upstream for its models, then accepts connections; upstreams that are not up yet are taken in when they are.
 * @throws LaunchError where the address cannot be listened on
 */
export async function startGateway(settings: GatewaySettings, options: GatewayOptions = {}): Promise<RunningGateway> {
  const { onChange = () => {}, onError = () => {} } = options;
  const { host, port, models } = settings;
  const registry = new Registry();
  const readModels = models === undefined ? readListed : readNamed(models);
  const events = watchGateway(
    registry,
    () => routes,
    () => upstreams,
  );
  addSystemMetrics(registry);
  let grpc: GatewayGrpc | undefined;
  const upstreams = settings.upstreams.map(
    (upstream) =>
      new Upstream(upstream, settings, readModels, {
        onChange(changed, sentence) {
          if (!changed.isUp) events.onDown(changed);
          onChange(`${changed.name} (${changed.url}) ${sentence}`);
        },
        onNews: () => grpc?.tellHealth(),
      }),
  );
  const routes = new Routes(settings, upstreams);
  const parts = { settings, upstreams, routes, registry, events, onError };
  const app = buildGateway(parts);
  const stopLooking = () => Promise.all(upstreams.map((upstream) => upstream[Symbol.asyncDispose]()));
  try {
    await Promise.all(upstreams.map((upstream) => upstream.look()));
    const url = await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
      throw listenError(host, port, error.code, error);
    });
    grpc = await serveGrpc(parts);
    // What was found out while it was being opened.
    grpc?.tellHealth();
    for (const upstream of upstreams) upstream.keepLooking();
    return {
      url,
      grpcAddress: grpc?.address,
      status: () => statusOf(parts),
      async [Symbol.asyncDispose]() {
        await Promise.all([drain(app, settings.drainTimeoutMs), grpc?.[Symbol.asyncDispose]()]);
        await stopLooking();
      },
    };
  } catch (error) {
    await app.close();
    await stopLooking();
    throw error;
  }
}

/** The gRPC side, where it is asked for. Loaded where used: a gateway of REST alone needs none of it. */
async function serveGrpc(parts: GatewayParts): Promise<GatewayGrpc | undefined> {
  const { host, grpcPort } = parts.settings;
  if (grpcPort === undefined) return undefined;
  const { startGrpc } = await import('./grpc/start-grpc.ts');
  return startGrpc(parts, grpcPort).catch((error: unknown) => {
    throw grpcListenError(host, grpcPort, error);
  });
}
