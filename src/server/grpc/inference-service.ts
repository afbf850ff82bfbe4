import { type handleUnaryCall, Metadata, type ServerUnaryCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  encodeGrpcModelMetadata,
  KserveError,
  type ModelInferRequestMessage,
  type ModelRequestMessage,
  quote,
  type RepositoryIndexMessage,
  type RepositoryModelMessage,
} from '../../kserve/index.ts';
import { monotonicNs, NS_PER_MS } from '../../units.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { isFault } from '../is-fault.ts';
import { describeModel } from '../model-metadata.ts';
import { type ModelRepository, modelIndex, refuseParameters } from '../repository/index.ts';
import { serverMetadata } from '../server-metadata.ts';
import { answerInfer, asVersion } from './answer-infer.ts';
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
    ServerReady: answer(async () => ({ ready: repository.isReady }), options),
    ServerMetadata: answer(async () => serverMetadata(), options),
    ModelReady: answer(async ({ name, version }: ModelRequestMessage) => {
      return { ready: repository.find(name, asVersion(version)).state === 'ready' };
    }, options),
    ModelMetadata: answer(async ({ name, version }: ModelRequestMessage) => {
      const model = repository.peek(name, asVersion(version));
      return encodeGrpcModelMetadata(describeModel(model, repository.versionsOf(name)));
    }, options),
    ModelInfer: answer(async (request: Received<ModelInferRequestMessage>, trailer, call) => {
      const received = { ...request, deadlineNs: deadlineNsOf(call) };
      const { message, serverTiming } = await answerInfer(repository, received, options.pool);
      trailer.set('server-timing', serverTiming);
      return message;
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

/** The client's deadline on the machine's monotonic clock; undefined where it set none. */
function deadlineNsOf(call: Pick<ServerUnaryCall<unknown, unknown>, 'getDeadline'>): number | undefined {
  const deadlineMs = Number(call.getDeadline());
  return Number.isFinite(deadlineMs) ? monotonicNs() + (deadlineMs - Date.now()) * NS_PER_MS : undefined;
}
