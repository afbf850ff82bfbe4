import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ModelError, messageOf } from '../errors.ts';
import { countCost } from './cost.ts';
import { fusedOutput } from './fused-outputs.ts';
import { metadataKeys } from './metadata.ts';
import { readOnnx } from './onnx-file.ts';
import { dimensionsFor } from './open-dimensions.ts';
import { countParameters } from './parameters.ts';
import { inputSpecs, outputSpecs } from './tensor-specs.ts';
import { checkTensors } from './tensors.ts';
import type { ResolvedModel } from './types.ts';
import { caveatsOf, readLineage } from './variants/lineage.ts';

export type FileDescription = Pick<
  ResolvedModel,
  | 'dataFiles'
  | 'digest'
  | 'isSynthetic'
  | 'inputs'
  | 'outputs'
  | 'params'
  | 'macs'
  | 'sizeBytes'
  | 'lineage'
  | 'caveats'
  | 'dims'
>;

/**
 * What is known of an ONNX file from reading it.
 *
 * @param file - absolute path
 * @param sequenceLength - of its requests; undefined for the file's own
 * @throws ModelError if it is missing, damaged, not an ONNX model, or points at files outside its folder
 */
export async function describeFile(file: string, sequenceLength?: number): Promise<FileDescription> {
  const bytes = await readModelFile(file);
  const model = readOnnx(bytes, file);
  const { graph } = model;
  const hash = createHash('sha256').update(bytes);
  let sizeBytes = bytes.length;
  const dataFiles = checkTensors(graph, file);
  for (const other of dataFiles) {
    const data = await readModelFile(other);
    hash.update(data);
    sizeBytes += data.length;
  }
  const isSynthetic = model.metadataProps.some(
    ({ key, value }) => key === metadataKeys.syntheticWeights && value === 'true',
  );
  const lineage = readLineage(model);
  const inputs = inputSpecs(graph, file);
  const dims = dimensionsFor(model, inputs, sequenceLength, file);
  return {
    dataFiles,
    digest: hash.digest('hex'),
    isSynthetic,
    lineage,
    caveats: caveatsOf(lineage, isSynthetic, fusedOutput(bytes)),
    inputs,
    dims,
    outputs: outputSpecs(graph, file),
    params: countParameters(graph),
    macs: countCost(model, file, dims).macs,
    sizeBytes,
  };
}

async function readModelFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new ModelError({ where: file, ...explain(error) }, error);
  }
}

function explain(error: unknown): { what: string; hint: string } {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return {
        what: 'the model file does not exist',
        hint: "Check the path; it is relative to the spec's own folder.",
      };
    case 'EISDIR':
      return { what: 'this is a folder, not a model file', hint: 'Name the .onnx file inside it.' };
    default:
      return { what: `the model file cannot be read: ${messageOf(error)}`, hint: 'Check that you may read it.' };
  }
}
