import { callOnce, MODEL_INFER_PATH } from '../grpc-channel.ts';
import type { NamedTensor } from '../models/types.ts';
import { grpcMessagesOf } from './generator/grpc-target.ts';
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
  const { address, encode, decode } = await grpcMessagesOf(target);
  return decode(await callOnce(address, MODEL_INFER_PATH, encode(tensors), signal));
}
