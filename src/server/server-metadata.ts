import { packageVersion } from '../package-files.ts';

/** What the server says of itself, over every protocol. */
export function serverMetadata() {
  return {
    name: 'dse',
    version: packageVersion(),
    extensions: ['binary_tensor_data', 'model_repository', 'image_classification'],
  };
}
