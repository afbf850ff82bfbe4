import type { PackageDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { packageFile } from '../../package-files.ts';

/** Full name of the protocol's service. */
export const INFERENCE_SERVICE = 'inference.GRPCInferenceService';

export interface InferenceProto {
  /** Paths, and readers and writers of the messages, of every method. */
  readonly service: ServiceDefinition;
  /** The whole file, for reflection. */
  readonly definition: PackageDefinition;
}

/**
 * The protocol's gRPC service as `proto/open-inference.proto` has it.
 *
 * Loads protobuf the first time it is called, so that what speaks only REST does without.
 */
export async function loadInferenceProto(): Promise<InferenceProto> {
  const { loadSync } = await import('@grpc/proto-loader');
  const definition = loadSync(packageFile('proto/open-inference.proto'), {
    keepCase: true,
    longs: String,
    enums: String,
    arrays: true,
    objects: true,
    defaults: true,
    oneofs: true,
  });
  return { service: definition[INFERENCE_SERVICE] as ServiceDefinition, definition };
}
