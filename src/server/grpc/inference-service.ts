import { type handleUnaryCall, Metadata, type ServerUnaryCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  decodeGrpcInferRequest,
  encodeGrpcInferResponse,
  encodeGrpcModelMetadata,
  KserveError,
  type ModelInferRequestMessage,
  type ModelInferResponseMessage,
  type ModelRequestMessage,
  quote,
  type RepositoryIndexMessage,
  type RepositoryModelMessage,
} from '../../kserve/index.ts';
import type { NamedTensor } from '../../models/types.ts';
import { monotonicNs, NS_PER_MS } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { deadlineOf, serverTiming } from '../infer-route.ts';
import { isFault } from '../is-fault.ts';
import { versionOf } from '../model/index.ts';
import type { LoadedModel } from '../model/types.ts';
import { describeModel } from '../model-metadata.ts';
import { type ModelRepository, modelIndex, refuseParameters } from '../repository/index.ts';
import { serverMetadata } from '../server-metadata.ts';
import { grpcError } from './status.ts';

/** A message with the moment it was there whole, before it was decoded. */
export interface Received<Message> {
  readonly message: Message;
  readonly completeNs: number;
}

export interface ServiceOptions {
  /** Memory for tensors, shared with REST. */
  readonly pool: BufferPool;
  /** Called with errors that are the server's fault, for its log. */
  readonly onError: (error: unknown) => void;
}

/** The methods of the protocol's service over the models of a repository. */
export function inferenceService(repository: ModelRepository, options: ServiceOptions): UntypedServiceImplementation {
  return {
    ServerLive: answer(async () => ({ live: true }), options),
    ServerReady: answer(async () => ({ ready: true }), options),
    ServerMetadata: answer(async () => serverMetadata(), options),
    ModelReady: answer(async ({ name, version }: ModelRequestMessage) => {
      return { ready: repository.find(name, asVersion(version)).state === 'ready' };
    }, options),
    ModelMetadata: answer(async ({ name, version }: ModelRequestMessage) => {
      const model = repository.peek(name, asVersion(version));
      return encodeGrpcModelMetadata(describeModel(model, repository.versionsOf(name)));
    }, options),
    ModelInfer: answer((request: Received<ModelInferRequestMessage>, trailer, call) => {
      const { model_name: name, model_version: version } = request.message;
      return repository.use(name, asVersion(version), (model) =>
        infer(model, request, { trailer, callDeadlineNs: deadlineNsOf(call), pool: options.pool }),
      );
    }, options),
    RepositoryIndex: answer(async ({ repository_name, ready }: RepositoryIndexMessage) => {
      requireOwnRepository(repository_name);
      return { models: modelIndex(repository, { onlyReady: ready }) };
    }, options),
    RepositoryModelLoad: answer(async ({ repository_name, model_name, parameters }: RepositoryModelMessage) => {
      requireOwnRepository(repository_name);
      refuseParameters(parameters);
      await repository.load(model_name);
      return {};
    }, options),
    RepositoryModelUnload: answer(async ({ repository_name, model_name }: RepositoryModelMessage) => {
      requireOwnRepository(repository_name);
      await repository.unload(model_name);
      return {};
    }, options),
  } as UntypedServiceImplementation;
}

/** There is one repository, and it has no name. */
function requireOwnRepository(name: string): void {
  if (name !== '') throw new KserveError(404, `there is no repository ${quote(name)}; the server's own has no name`);
}

/** An empty version leaves the choice to the server. */
function asVersion(version: string): string | undefined {
  return version === '' ? undefined : version;
}

function answer<Request, Response>(
  action: (request: Request, trailer: Metadata, call: ServerUnaryCall<Request, Response>) => Promise<Response>,
  { onError }: ServiceOptions,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const trailer = new Metadata();
    // A method may throw before its first await; both ways end here.
    Promise.resolve()
      .then(() => action(call.request, trailer, call))
      .then(
        (response) => callback(null, response, trailer),
        (error: unknown) => {
          if (isFault(error)) onError(error);
          callback(grpcError(error));
        },
      );
  };
}

interface Call {
  readonly trailer: Metadata;
  /** On the machine's monotonic clock. */
  readonly callDeadlineNs: number;
  readonly pool: BufferPool;
}

/** The trailer carries `server-timing` as the header does over REST; decoding counts from the last byte of the message there too. */
async function infer(
  model: LoadedModel,
  { message, completeNs }: Received<ModelInferRequestMessage>,
  { trailer, callDeadlineNs, pool }: Call,
): Promise<ModelInferResponseMessage> {
  const own = new Set<ArrayBuffer>();
  const { id, parameters, tensors, outputs, binaryOutputs } = decodeGrpcInferRequest(
    message,
    model.signature,
    (size) => {
      const buffer = pool.take(size);
      own.add(buffer);
      return buffer;
    },
  );
  const decodeMs = (monotonicNs() - completeNs) / NS_PER_MS;
  // Other small memory may be of the pool that Node shares with all and that cannot move to another thread; copying so little costs nothing.
  const lend = buffersOf(tensors).filter((buffer) => own.has(buffer) || buffer.byteLength > Buffer.poolSize);
  const deadlineNs = Math.min(
    deadlineOf(parameters, completeNs, model.settings) ?? Number.POSITIVE_INFINITY,
    callDeadlineNs,
  );
  const inference = await model.infer({
    tensors,
    lend,
    outputs,
    deadlineNs: Number.isFinite(deadlineNs) ? deadlineNs : undefined,
  });
  for (const buffer of inference.returned) pool.give(buffer);
  trailer.set('server-timing', serverTiming(decodeMs, inference));
  return encodeGrpcInferResponse({
    modelName: model.settings.name,
    modelVersion: versionOf(model.settings),
    id,
    outputs: inference.outputs,
    binaryOutputs,
  });
}

/** The client's deadline on the machine's monotonic clock; Infinity where it set none. A request still waiting then is never run. */
function deadlineNsOf(call: Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline'>): number {
  return monotonicNs() + (Number(call.getDeadline()) - Date.now()) * NS_PER_MS;
}

function buffersOf(tensors: readonly NamedTensor[]): ArrayBuffer[] {
  const buffers = tensors.flatMap(({ data }) => (Array.isArray(data) ? [] : [data.buffer as ArrayBuffer]));
  return [...new Set(buffers)];
}
