import { readFileSync } from 'node:fs';
import { ModelError, messageOf } from '../../errors.ts';
import { parseDescription } from '../images/parse-description.ts';
import { syntheticModels } from '../synthetic-models.ts';
import { trainedModels } from '../trained-models.ts';
import { type RemoteModel, zoo } from './zoo.ts';

/** Models that are not downloaded. One of the user's by such a name would never be served. */
const OWN_NAMES: ReadonlySet<string> = new Set([...Object.keys(syntheticModels), ...Object.keys(trainedModels)]);

/**
 * Every model that can be downloaded, by name: those of the ONNX model zoo, and those of the user's catalogue, a JSON file that `DSE_CATALOGUE` names.
 *
 * @throws ModelError if that file cannot be read, or its entries are not { url, sha256, bytes }, with an `image` as in a sidecar where images become its input
 */
export function remoteModels(file = process.env.DSE_CATALOGUE): Readonly<Record<string, RemoteModel>> {
  if (!file) return zoo;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw badCatalogue(file, `cannot be read: ${messageOf(error)}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw badCatalogue(file, 'holds no object of models by name');
  }
  const own = Object.entries(content).map(([name, model]) => [name, readEntry(name, model, file)] as const);
  return { ...zoo, ...Object.fromEntries(own) };
}

function readEntry(name: string, model: unknown, file: string): RemoteModel {
  const { url, sha256, bytes, summary = 'from your catalogue', image } = (model ?? {}) as Partial<RemoteModel>;
  const wrong = [
    ...(/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) ? [] : ['its name']),
    ...(OWN_NAMES.has(name) ? ['its name, which is that of a model of dse'] : []),
    ...(typeof url === 'string' && /^https?:\/\/[^/]/.test(url) ? [] : ['its url']),
    ...(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? [] : ['its sha256']),
    ...(Number.isSafeInteger(bytes) && Number(bytes) > 0 ? [] : ['its bytes']),
    ...(typeof summary === 'string' ? [] : ['its summary']),
  ];
  if (wrong.length > 0) throw badCatalogue(file, `is not sound in "${name}": ${wrong.join(', ')}`);
  const described = image === undefined ? {} : { image: parseDescription(image, `${file}, "${name}"`) };
  return { url: url ?? '', sha256: sha256 ?? '', bytes: bytes ?? 0, summary, ...described };
}

function badCatalogue(where: string, what: string): ModelError {
  return new ModelError({
    where,
    what: `your catalogue (DSE_CATALOGUE) ${what}`,
    hint: 'Write { "name": { "url": "https://...", "sha256": "64 hex digits", "bytes": size } } with an entry for each model.',
  });
}
