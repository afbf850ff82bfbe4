import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';

/** Bytes the server may send ahead, per call and per connection; Node's 64 KB would hold up a large answer. */
export const WINDOW_BYTES = 4 * 2 ** 20;
/** A server that is gone is asked again after this long, and soon enough when it is back. */
const RECONNECT_AFTER_MS = 100;

export const MODEL_INFER_PATH = '/inference.GRPCInferenceService/ModelInfer';
export const MODEL_METADATA_PATH = '/inference.GRPCInferenceService/ModelMetadata';

/**
 * A connection of its own to a gRPC server; it opens with the first call.
 * @param address - host and port, e.g. "127.0.0.1:40124"
 */
export function openGrpcChannel(address: string): Client {
  return new Client(address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_AFTER_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_AFTER_MS,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_retries': 0,
    'grpc-node.flow_control_window': WINDOW_BYTES,
  });
}

/** Messages go through as the bytes they are. */
export function asBytes(bytes: Buffer): Buffer {
  return bytes;
}

/**
 * One call over a connection of its own.
 * @throws Error with the server's status and sentence where it is not answered
 */
export async function callOnce(address: string, path: string, message: Buffer, signal: AbortSignal): Promise<Buffer> {
  const client = openGrpcChannel(address);
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        path,
        asBytes,
        asBytes,
        message,
        (error: ServiceError | null, answer?: Buffer) => {
          if (error === null) resolve(answer ?? Buffer.alloc(0));
          else reject(new Error(whyFailed(address, error)));
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}

/** grpc-js tells a connection that was never there from an answer in words alone. */
function whyFailed(address: string, { code, details }: ServiceError): string {
  if (/No connection established|Name resolution failed/.test(details))
    return `nothing answers over gRPC at ${address}`;
  return `${address} answered over gRPC with ${status[code]}: ${details}`;
}
