import { LoadError } from '../../errors.ts';
import {
  decodeGrpcInferResponse,
  encodeGrpcInferRequest,
  KserveError,
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

/** How a target's tensors become the message of a call, and the message of its answer tensors. */
export interface InferenceMessages {
  /** Host and port. */
  readonly address: string;
  encode(tensors: readonly NamedTensor[]): Buffer;
  /** @throws KserveError where it is no answer */
  decode(message: Buffer): readonly NamedTensor[];
}

/**
 * Messages of the protocol's gRPC service, tensors as raw bytes.
 * @throws LoadError where the server has no gRPC side
 */
export async function grpcMessagesOf({ grpcAddress, modelName, url }: KserveTarget): Promise<InferenceMessages> {
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
    address: grpcAddress,
    encode: (tensors) => requestSerialize(encodeGrpcInferRequest(modelName, tensors)),
    decode: (message) => decodeGrpcInferResponse(responseDeserialize(message) as ModelInferResponseMessage).outputs,
  };
}

/**
 * The same as they go over the connection, each message behind its prefix.
 * @throws LoadError where the server has no gRPC side
 */
export async function grpcWireOf(target: KserveTarget): Promise<InferenceWire> {
  const { address, encode, decode } = await grpcMessagesOf(target);
  return {
    transport: 'grpc',
    url: address,
    encode: (tensors) => withPrefix(encode(tensors)),
    decode: (_headers, body) => decode(withoutPrefix(body)),
  };
}

/** Before each message: whether it is compressed, one byte, and its length, four. Source: gRPC, doc/PROTOCOL-HTTP2.md. */
const PREFIX_BYTES = 5;

function withPrefix(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.byteLength);
  bytes.writeUInt8(0);
  bytes.writeUInt32BE(message.byteLength, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** @throws KserveError for anything but one whole message that is not compressed, which nobody asked for */
function withoutPrefix(body: Buffer): Buffer {
  const isWhole = body.byteLength >= PREFIX_BYTES && body.readUInt32BE(1) === body.byteLength - PREFIX_BYTES;
  if (!isWhole || body.readUInt8() !== 0) throw new KserveError(502, 'the answer is not one uncompressed message');
  return body.subarray(PREFIX_BYTES);
}
