import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import { type InferenceProto, loadInferenceProto, type ModelInferRequestMessage } from '../../kserve/index.ts';
import { monotonicNs } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { ModelRepository } from '../repository/index.ts';
import { answerInfer } from './answer-infer.ts';
import { DirectCall, type DirectCallOptions } from './direct-call.ts';
import { GrpcHealth } from './health.ts';
import { inferenceService, type Received } from './inference-service.ts';
import { readPlainHead } from './plain-call.ts';
import { StandingCalls } from './standing-calls.ts';
import { CallError } from './status.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly messageLimitBytes: number;
  /** How long calls in flight may take to be answered once the server is stopped, milliseconds. */
  readonly drainTimeoutMs: number;
}

export interface GrpcOptions extends ListenOptions {
  /** Memory for tensors, shared with REST. */
  readonly pool: BufferPool;
  readonly onError: (error: unknown) => void;
}

type ProtoService = InferenceProto['service'];

/** Accepts connections. Disposing it answers what is in flight, then closes it. */
export interface GrpcServer extends AsyncDisposable {
  /** Host and port, e.g. "127.0.0.1:40124". */
  readonly address: string;
}

/** Bytes a client may have on the way: per call, and per connection. Node's 64 KB would make a request of one image (600 KB) wait ten times for leave to go on. */
const STREAM_WINDOW_BYTES = 4 * 2 ** 20;
const CONNECTION_WINDOW_BYTES = 16 * 2 ** 20;

/**
 * Every connection is asked for a sign of life so often, and closed without one for so long, milliseconds.
 *
 * A client that breaks HTTP/2 gets a GOAWAY; after some errors Node then neither closes the connection nor notices that its client did.
 */
const PING_EVERY_MS = 5_000;
const PING_TIMEOUT_MS = 5_000;

/** A service of the protocol, and what answers its calls. */
export interface GrpcService extends Pick<InferenceProto, 'definition'> {
  readonly service: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** Whether it serves. Stopped with the server. */
  readonly health: GrpcHealth;
  /** Called once connections are accepted, to take streams before grpc-js does. */
  readonly takeStreams?: (server: Http2Server) => void;
}

/**
 * The gRPC side of the server: the protocol's service over the models of a repository.
 *
 * Source: Open Inference Protocol, gRPC; https://github.com/kserve/open-inference-protocol
 * @throws Error where the address cannot be listened on
 */
export async function startGrpc(repository: ModelRepository, options: GrpcOptions): Promise<GrpcServer> {
  const { service, definition } = await loadInferenceProto();
  const { pool, messageLimitBytes, onError } = options;
  const implementation = inferenceService(repository, { pool, onError });
  const health = new GrpcHealth(repository.isReady);
  repository.watchReadiness((isReady) => health.set(isReady));
  const answer = answerWith(repository, service, pool);
  const takeStreams = (server: Http2Server) => answerDirectly(server, { messageLimitBytes, pool, answer, onError });
  return listenGrpc({ service: withReceipt(service), definition, implementation, health, takeStreams }, options);
}

/**
 * Serves a service of the protocol with health checking (grpc.health.v1) and reflection.
 *
 * Past `messageLimitBytes` a message is refused with RESOURCE_EXHAUSTED; a call past its client's deadline ends with DEADLINE_EXCEEDED.
 * @throws Error where the address cannot be listened on
 */
export async function listenGrpc(
  { service, definition, implementation, health, takeStreams = () => {} }: GrpcService,
  { host, port, messageLimitBytes, drainTimeoutMs }: ListenOptions,
): Promise<GrpcServer> {
  // What it would print of itself, such as an address that is taken, is thrown or told to `onError`.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': messageLimitBytes,
    'grpc.max_send_message_length': -1,
    // Statistics of every call and message that nobody can ask this server for; /metrics has its own.
    'grpc.enable_channelz': 0,
    'grpc.keepalive_time_ms': PING_EVERY_MS,
    'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
  });
  server.addService(service, implementation);
  const standing = new StandingCalls();
  health.addToServer(standing.of(server));
  new ReflectionService({ ...definition, ...loadSync(healthProto) }).addToServer(standing.of(server));
  widenStreamWindows(server);
  const boundPort = await bind(server, host, port);
  widenConnectionWindows(server);
  for (const http2Server of http2ServersOf(server)) takeStreams(http2Server);
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    async [Symbol.asyncDispose]() {
      health.stop();
      standing.end();
      await drain(server, drainTimeoutMs);
    },
  };
}

/** The same service with the moment an inference request was there, so that decoding it can be told. */
function withReceipt(service: ProtoService): ServiceDefinition {
  const method = service.ModelInfer as ProtoService[string];
  const requestDeserialize = (bytes: Buffer): Received<ModelInferRequestMessage> => {
    const completeNs = monotonicNs();
    return { message: method.requestDeserialize(bytes) as ModelInferRequestMessage, completeNs };
  };
  return { ...service, ModelInfer: { ...method, requestDeserialize } } as ServiceDefinition;
}

/**
 * Connections that are closing are not asked for a sign of life any more: Node refuses to send one on them, which grpc-js takes for a connection that is gone, calls in flight and all.
 *
 * Leans on internals of the pinned version. Whoever does not answer is closed when the time to drain is up.
 */
function stopPings(server: Server): void {
  (server as unknown as { keepaliveTimeMs: number }).keepaliveTimeMs = 0;
}

/** grpc-js has no option for the server's windows (its `grpc-node.flow_control_window` is the client's), so this leans on internals of the pinned version. */
function widenStreamWindows(server: Server): void {
  // biome-ignore lint/complexity/useLiteralKeys: the member is private.
  const options = server['commonServerOptions'];
  options.settings = { ...options.settings, initialWindowSize: STREAM_WINDOW_BYTES };
}

function widenConnectionWindows(server: Server): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('session', (session) => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
  }
}

function http2ServersOf(server: Server): Iterable<Http2Server> {
  // biome-ignore lint/complexity/useLiteralKeys: the member is private.
  return server['http2Servers'].keys();
}

/** Plain calls of ModelInfer are answered on their streams; grpc-js has all others, and the connections. */
function answerDirectly(server: Http2Server, options: DirectCallOptions): void {
  const toGrpcJs = server.listeners('stream') as ((stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void)[];
  server.removeAllListeners('stream');
  server.on('stream', (stream, headers) => {
    const head = readPlainHead(headers);
    if (head !== undefined) new DirectCall(stream, head, options);
    else for (const listener of toGrpcJs) listener.call(server, stream, headers);
  });
}

/** Reads, answers and writes the messages of ModelInfer. */
function answerWith(repository: ModelRepository, service: ProtoService, pool: BufferPool): DirectCallOptions['answer'] {
  const { requestDeserialize, responseSerialize } = service.ModelInfer as ProtoService[string];
  const read = (bytes: Buffer): ModelInferRequestMessage => {
    try {
      return requestDeserialize(bytes) as ModelInferRequestMessage;
    } catch {
      throw new CallError(status.INTERNAL, 'the request is no message of ModelInfer');
    }
  };
  return async ({ bytes, memory, completeNs }, deadlineNs) => {
    const received = { message: read(bytes), completeNs, memory, deadlineNs };
    const { message, serverTiming } = await answerInfer(repository, received, pool);
    return { message: responseSerialize(message), trailer: { 'server-timing': serverTiming } };
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, boundPort) => {
      if (error === null) resolve(boundPort);
      else reject(error);
    });
  });
}

function drain(server: Server, timeoutMs: number): Promise<void> {
  stopPings(server);
  return new Promise((resolve) => {
    const giveUp = setTimeout(() => server.forceShutdown(), timeoutMs);
    server.tryShutdown(() => {
      clearTimeout(giveUp);
      resolve();
    });
  });
}
