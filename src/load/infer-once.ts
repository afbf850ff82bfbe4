import type { ServiceError } from '@grpc/grpc-js';
import { messageOf } from '../errors.ts';
import type { NamedTensor } from '../models/types.ts';
import { grpcWireOf } from './generator/grpc-target.ts';
import { asBytes, MODEL_INFER_PATH, openGrpcChannel } from './grpc-channel.ts';
import type { LoadTarget } from './types.ts';

/**
 * One inference over gRPC, the way the load asks for it.
 * @throws Error with the server's status and sentence where it is not answered
 */
export async function inferOnceOverGrpc(
  target: Extract<LoadTarget, { kind: 'kserve' }>,
  tensors: readonly NamedTensor[],
  signal: AbortSignal,
): Promise<readonly NamedTensor[]> {
  const wire = await grpcWireOf(target);
  const client = openGrpcChannel(wire.url);
  try {
    const body = await new Promise<Buffer>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        MODEL_INFER_PATH,
        asBytes,
        asBytes,
        wire.encode(tensors),
        (error: ServiceError | null, answer?: Buffer) => {
          if (error === null) resolve(answer ?? Buffer.alloc(0));
          else reject(new Error(`${wire.url} answered over gRPC: ${messageOf(error)}`));
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
    return wire.decode([], body);
  } finally {
    client.close();
  }
}
