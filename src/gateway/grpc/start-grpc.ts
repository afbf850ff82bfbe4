import {
  type Client,
  type handleUnaryCall,
  Metadata,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { asBytes, openGrpcChannel } from '../../grpc-channel.ts';
import { KserveError, loadInferenceProto, quote } from '../../kserve/index.ts';
import { loadGrpc } from '../../server/index.ts';
import { monotonicNs } from '../../units.ts';
import type { GatewayParts } from '../app.ts';
import { forward } from '../forward.ts';
import { gatewayMetadata } from '../metadata.ts';
import { retryAfterS } from '../pass-on.ts';
import type { Route, Routes } from '../routes.ts';
import type { Upstream } from '../upstream.ts';
import { type CallAnswer, CallExchange } from './call-exchange.ts';
import { readModelName } from './model-name.ts';

/** Accepts connections. Disposing it answers what is in flight, then closes it. */
export interface GatewayGrpc extends AsyncDisposable {
  readonly address: string;
  /** Has those who watch its health told of what changed. */
  tellHealth(): void;
}

type GrpcParts = Pick<GatewayParts, 'settings' | 'routes' | 'upstreams' | 'events' | 'onError'>;

/**
 * The gRPC side of the gateway: calls on a model go on to a target as the bytes they are, what is about the whole gateway it answers itself, with health checking and reflection as
 * on a server.
 * @throws Error where the address cannot be listened on
 */
export async function startGrpc(parts: GrpcParts, port: number): Promise<GatewayGrpc> {
  const { settings, upstreams, routes } = parts;
  const [{ service, definition }, grpc] = await Promise.all([loadInferenceProto(), loadGrpc()]);
  const clients = new Map(
    upstreams.flatMap((upstream) =>
      upstream.grpc === undefined ? [] : [[upstream, openGrpcChannel(upstream.grpc)] as const],
    ),
  );
  const closeClients = () => {
    for (const client of clients.values()) client.close();
  };
  const implementation = gatewayService(parts, (upstream) => clients.get(upstream) as Client, grpc.grpcError);
  const health = new grpc.GrpcHealth(routes.isReady);
  const { host, bodyLimitBytes: messageLimitBytes, drainTimeoutMs } = settings;
  try {
    const listening = await grpc.listenGrpc(
      { service: asRaw(service), definition, implementation, health },
      { host, port, messageLimitBytes, drainTimeoutMs },
    );
    return {
      address: listening.address,
      tellHealth: () => health.set(routes.isReady),
      async [Symbol.asyncDispose]() {
        await listening[Symbol.asyncDispose]();
        closeClients();
      },
    };
  } catch (error) {
    closeClients();
    throw error;
  }
}

/** Methods that go on to a model. */
const PASSED_ON = ['ModelInfer', 'ModelMetadata', 'ModelReady'];

/** The service with the messages of these methods left as they are. */
function asRaw(service: ServiceDefinition): ServiceDefinition {
  const raw = { requestDeserialize: asBytes, responseSerialize: asBytes };
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [name, PASSED_ON.includes(name) ? { ...method, ...raw } : method]),
  );
}

/** The route over the servers that speak gRPC. @throws KserveError where there is none */
function grpcRoute(routes: Routes, name: string): Route {
  const route = routes.find(name);
  if (route === undefined) throw new KserveError(404, `this gateway has no model ${quote(name)}`);
  const targets = route.targets.filter(({ upstream }) => upstream.grpc !== undefined);
  if (targets.length > 0) return { ...route, targets };
  throw new KserveError(501, `no server of the model ${quote(name)} has an address for gRPC`);
}

type Refuse = Awaited<ReturnType<typeof loadGrpc>>['grpcError'];

function gatewayService(
  parts: GrpcParts,
  clientOf: (upstream: Upstream) => Client,
  refuse: Refuse,
): UntypedServiceImplementation {
  const { routes, settings, events, onError } = parts;
  const pass =
    (isInference: boolean): handleUnaryCall<Buffer, Buffer> =>
    async (call, callback) => {
      const startNs = monotonicNs();
      let route: Route | undefined;
      try {
        const name = readModelName(call.request);
        route = grpcRoute(routes, name);
        const answer = ({ error, message, trailer }: CallAnswer) => {
          if (error === null) callback(null, message, trailer);
          else callback({ code: error.code, details: error.details, metadata: trailer });
        };
        const options = { clientOf, timeoutMs: settings.timeoutMs, answer };
        await forward(route, new CallExchange(name, call, isInference, options), events, retryAfterS(settings));
        if (isInference) events.onDone(route, monotonicNs() - startNs);
      } catch (error) {
        if (!(error instanceof KserveError)) onError(error);
        events.onFailure(route, `${error instanceof KserveError ? error.status : 500}`);
        callback({ ...refuse(error), metadata: new Metadata() });
      }
    };
  const tell =
    (answer: () => object): handleUnaryCall<unknown, object> =>
    (_call, callback) =>
      callback(null, answer());
  const unimplemented: handleUnaryCall<unknown, object> = (_call, callback) =>
    callback(refuse(new KserveError(501, 'models are listed, loaded and unloaded at the servers behind this gateway')));
  return {
    ServerLive: tell(() => ({ live: true })),
    ServerReady: tell(() => ({ ready: routes.isReady })),
    ServerMetadata: tell(gatewayMetadata),
    ModelReady: pass(false),
    ModelMetadata: pass(false),
    ModelInfer: pass(true),
    RepositoryIndex: unimplemented,
    RepositoryModelLoad: unimplemented,
    RepositoryModelUnload: unimplemented,
  };
}
