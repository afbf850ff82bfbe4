import { LoadError } from '../../errors.ts';
import {
  decodeGrpcInferResponse,
  encodeGrpcInferRequest,
  loadInferenceProto,
  type ModelInferResponseMessage,
} from '../../kserve/index.ts';
import type { NamedTensor } from '../../models/types.ts';
import type { LoadTarget } from '../types.ts';

type KserveTarget = Extract<LoadTarget, { kind: 'kserve' }>;

/** How a target's tensors become the bytes of a request, and the bytes of its answer tensors. */
export interface InferenceWire {
  readonly transport: 'http' | 'grpc';
  readonly url: string;
  encode(tensors: readonly NamedTensor[]): Buffer;
  /** @throws KserveError where it is no answer */
  decode(headers: readonly string[], body: Buffer): readonly NamedTensor[];
}

/**
 * Requests as messages of the protocol's gRPC service, tensors as raw bytes.
 * @throws LoadError where the server has no gRPC side
 */
export async function grpcWireOf({ grpcAddress, modelName, url }: KserveTarget): Promise<InferenceWire> {
  if (grpcAddress === undefined) {
    throw new LoadError({
      where: url,
      what: 'the server has told no address for gRPC',
      hint: 'Use another protocol, or a server that serves gRPC.',
    });
  }
  const { service } = await loadInferenceProto();
  const { requestSerialize, responseDeserialize } = service.ModelInfer as NonNullable<typeof service.ModelInfer>;
  return {
    transport: 'grpc',
    url: grpcAddress,
    encode: (tensors) => requestSerialize(encodeGrpcInferRequest(modelName, tensors)),
    decode: (_headers, body) => decodeGrpcInferResponse(responseDeserialize(body) as ModelInferResponseMessage).outputs,
  };
}
