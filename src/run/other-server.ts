import { lookup } from 'node:dns/promises';
import { statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ModelError, type Problem } from '../errors.ts';
import { savedModelOf } from '../launch/index.ts';
import type { ResolvedModel } from '../models/types.ts';
import type { ExperimentSpec } from '../spec/types.ts';

/**
 * Checks that every model is there in the form that the spec's server takes.
 *
 * @throws ModelError with every model that would have to be converted first
 */
export function checkModelForms({ server }: ExperimentSpec, models: Iterable<ResolvedModel>): void {
  const isSavedModel = server.url === undefined && server.description?.files.some(({ from }) => from === 'saved-model');
  if (!isSavedModel) return;
  const problems = [...models]
    .map((model) => ({ ...model, folder: savedModelOf(model.file) }))
    .filter(({ folder }) => !statSync(join(folder, 'saved_model.pb'), { throwIfNoEntry: false })?.isFile())
    .map(({ name, variant, folder }) => ({
      where: folder,
      what: `${name} (${variant}) is an ONNX file, "${server.description?.name}" serves SavedModels, and dse cannot convert the one into the other`,
      hint: 'Convert it (e.g. with onnx2tf) into this folder, which is to hold saved_model.pb, and name the model by the path of its ONNX file.',
    }));
  if (problems.length > 0) throw new ModelError(problems);
}

/** Whether an address is one of this machine's own. */
export async function isLocalUrl(url: string): Promise<boolean> {
  const { hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = await lookup(host).then(
    (found) => found.address,
    () => host,
  );
  if (/^127\.|^::1$/.test(address)) return true;
  return Object.values(networkInterfaces()).some((one) => one?.some((own) => own.address === address));
}

/** What cannot be known of a server that dse did not start, said before the run. */
export function externalNotice(url: string, isLocal: boolean): Problem {
  const missing = isLocal
    ? 'its CPU time, memory and limits are not known; energy is that of this machine, and whether other programs kept it busy cannot be told'
    : 'its CPU time, memory and limits are not known, and the energy of its machine is not measured';
  return {
    what: `the server at ${url} was started by somebody else: ${missing}`,
    hint: 'Those columns stay empty. What is known of the model (size, parameters) is of the file dse makes inputs from, and is left empty too.',
  };
}
