import { UsageError } from '../errors.ts';
import { fetchModelMetadata, type LoadTarget, type Protocol } from '../load/index.ts';
import { parseDescription } from '../models/index.ts';
import { FACTORS } from '../spec/index.ts';
import { readOption, readWholeNumber } from './option-values.ts';

export interface InferenceOptions {
  readonly model?: string;
  readonly protocol?: string;
  readonly batch?: string;
  readonly dim: readonly string[];
  readonly seed: string;
}

/**
 * Inference requests of random inputs for a model of a server, made from what the server says of it.
 *
 * @param address - of its REST side, or `grpc://host:port`
 * @throws UsageError for options that contradict the address; LoadError where the server does not tell of the model
 */
export async function readInferenceTarget(
  address: string,
  modelName: string,
  { protocol: asked, batch, dim, seed }: InferenceOptions,
): Promise<LoadTarget> {
  const isGrpc = new URL(address).protocol === 'grpc:';
  const protocol: Protocol = readOption(
    '--protocol',
    asked ?? (isGrpc ? 'grpc' : 'rest-binary'),
    FACTORS.protocol.value,
  );
  if (isGrpc !== (protocol === 'grpc')) {
    throw new UsageError({
      where: '--protocol',
      what: `${protocol} is not spoken at ${address}`,
      hint: isGrpc ? 'Give an http:// address.' : 'Give the address of the gRPC side, e.g. grpc://127.0.0.1:8081.',
    });
  }
  const { inputs, parameters } = await fetchModelMetadata(address, modelName);
  const { image } = parameters;
  return {
    kind: 'kserve',
    url: address,
    grpcAddress: isGrpc ? new URL(address).host : undefined,
    modelName,
    protocol,
    batch: readWholeNumber('--batch', batch ?? '1', 1),
    inputs,
    dims: Object.fromEntries(dim.map(readDim)),
    dataset: undefined,
    ...(protocol === 'image' && image !== undefined && { image: parseDescription(image, address) }),
    seed: readWholeNumber('--seed', seed, 0),
  };
}

function readDim(text: string): [string, number] {
  const [name, size, ...others] = text.split('=');
  if (!name || size === undefined || others.length > 0) {
    throw new UsageError({
      where: '--dim',
      what: `"${text}" is no size of a dimension`,
      hint: 'Write it as name=size.',
    });
  }
  return [name, readWholeNumber('--dim', size, 1)];
}
