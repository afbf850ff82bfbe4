import { packageVersion } from '../package-files.ts';

/** What the gateway says of itself, over every protocol. */
export function gatewayMetadata() {
  return { name: 'dse-gateway', version: packageVersion(), extensions: ['binary_tensor_data'] };
}
