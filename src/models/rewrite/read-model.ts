import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ModelError, messageOf } from '../../errors.ts';
import { type OnnxModel, readOnnx } from '../onnx-file.ts';
import { allTensors, checkTensors, EXTERNAL } from '../tensors.ts';

/** An ONNX model with all its weights in memory. */
export interface LoadedModel {
  readonly model: OnnxModel;
  /** As `ResolvedModel.digest`: over the file, and the files its weights stand in. */
  readonly digest: string;
}

/**
 * Reads a model to be rewritten; weights that stand in files beside it are brought in.
 *
 * @param file - absolute path
 * @throws ModelError if it is missing, damaged, not an ONNX model, or points at files outside its folder
 */
export async function readModel(file: string): Promise<LoadedModel> {
  const bytes = await readBytes(file);
  const model = readOnnx(bytes, file);
  const hash = createHash('sha256').update(bytes);
  const others = new Map<string, Buffer>();
  for (const other of checkTensors(model.graph, file)) {
    const data = await readBytes(other);
    hash.update(data);
    others.set(other, data);
  }
  for (const tensor of allTensors(model.graph)) {
    if (tensor.dataLocation !== EXTERNAL) continue;
    const field = (name: string) => tensor.externalData.find(({ key }) => key === name)?.value;
    const data = others.get(join(dirname(file), field('location') ?? '')) ?? Buffer.alloc(0);
    const offset = Number(field('offset') ?? 0);
    const end = field('length') === undefined ? data.length : offset + Number(field('length'));
    if (!(offset >= 0 && offset <= end && end <= data.length)) {
      throw new ModelError({
        where: file,
        what: `the tensor "${tensor.name ?? ''}" lies at bytes ${offset} to ${end} of a file of ${data.length}`,
        hint: 'The data file of the model is cut short; copy or export it again.',
      });
    }
    tensor.rawData = data.subarray(offset, end);
    tensor.externalData = [];
    delete tensor.dataLocation;
  }
  checkTensors(model.graph, file);
  return { model, digest: hash.digest('hex') };
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new ModelError(
      {
        where: file,
        what: `the model file cannot be read: ${messageOf(error)}`,
        hint: 'Check the path, and that you may read it.',
      },
      error,
    );
  }
}
