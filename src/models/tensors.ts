import { realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { ModelError } from '../errors.ts';
import { type GraphProto, onnxDataTypes, type TensorProto } from './onnx-schema.ts';

/** Elements beyond which a tensor is data, not a shape or a list of axes. */
const MOST_KNOWN_INTEGERS = 256;

/** Bytes of an element, by `TensorProto.DataType`, for the types that can be served; text and types that share bytes are left to the runtime. */
export const bytesPerElement: Readonly<Record<number, number>> = {
  [onnxDataTypes.float32]: 4,
  [onnxDataTypes.float64]: 8,
  [onnxDataTypes.float16]: 2,
  [onnxDataTypes.int8]: 1,
  [onnxDataTypes.int16]: 2,
  [onnxDataTypes.int32]: 4,
  [onnxDataTypes.int64]: 8,
  [onnxDataTypes.uint8]: 1,
  [onnxDataTypes.uint16]: 2,
  [onnxDataTypes.uint32]: 4,
  [onnxDataTypes.uint64]: 8,
  [onnxDataTypes.bool]: 1,
};

/** `TensorProto.DataLocation.EXTERNAL`: the bytes stand in another file. */
export const EXTERNAL = 1;

/** Number of elements that a tensor's dimensions ask for; 1 for a scalar. */
export function elementCount({ dims }: Pick<TensorProto, 'dims'>): number {
  return dims.reduce<number>((product, size) => product * Number(size), 1);
}

/** The elements of a small tensor of integers; undefined for any other. */
export function knownIntegers(tensor: TensorProto): number[] | undefined {
  if (elementCount(tensor) > MOST_KNOWN_INTEGERS || tensor.dataLocation === EXTERNAL) return undefined;
  const raw = tensor.rawData;
  const view = raw && new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (tensor.dataType === onnxDataTypes.int64) {
    if (view === undefined) return tensor.int64Data.map(Number);
    return Array.from({ length: view.byteLength / 8 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
  }
  if (tensor.dataType === onnxDataTypes.int32) {
    if (view === undefined) return [...tensor.int32Data];
    return Array.from({ length: view.byteLength / 4 }, (_, index) => view.getInt32(index * 4, true));
  }
  return undefined;
}

/** Every tensor that a graph holds: initializers and attributes, also those of the graphs inside its nodes. */
export function allTensors(graph: GraphProto): TensorProto[] {
  const attributes = graph.node.flatMap((node) => node.attribute);
  const sparse = [
    ...graph.sparseInitializer,
    ...attributes.flatMap(({ sparseTensor, sparseTensors }) => [
      ...(sparseTensor ? [sparseTensor] : []),
      ...sparseTensors,
    ]),
  ];
  return [
    ...graph.initializer,
    ...attributes.flatMap(({ t, tensors }) => (t === undefined ? tensors : [t, ...tensors])),
    ...sparse.flatMap(({ values, indices }) => [values, indices].filter((tensor) => tensor !== undefined)),
    ...attributes.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs])).flatMap(allTensors),
  ];
}

/**
 * Checks that each tensor has the bytes its dimensions ask for, and that what stands in other files stands inside the model's own folder.
 *
 * @param file - the model's absolute path
 * @returns absolute paths of the other files, each once, sorted
 * @throws ModelError naming the tensor
 */
export function checkTensors(graph: GraphProto, file: string): string[] {
  const others = new Set<string>();
  for (const tensor of allTensors(graph)) {
    const size = bytesPerElement[tensor.dataType ?? 0];
    const count = elementCount(tensor);
    if (!Number.isSafeInteger(count) || tensor.dims.some((dim) => dim < 0)) {
      throw damaged(tensor, file, `has impossible dimensions [${tensor.dims.join(', ')}]`);
    }
    if (tensor.dataLocation === EXTERNAL) others.add(externalFile(tensor, file));
    else if (tensor.rawData !== undefined && size !== undefined && tensor.rawData.length !== count * size) {
      throw damaged(
        tensor,
        file,
        `holds ${tensor.rawData.length} bytes where [${tensor.dims.join(', ')}] needs ${count * size}`,
      );
    } else if (tensor.rawData === undefined && size !== undefined && listedElements(tensor) !== count) {
      const found = listedElements(tensor);
      throw damaged(tensor, file, `holds ${found} elements where [${tensor.dims.join(', ')}] needs ${count}`);
    }
  }
  return [...others].sort();
}

/** Elements of a tensor without raw bytes: they stand in the list of its type, small ones each in an int32. */
function listedElements({ floatData, doubleData, int32Data, int64Data, uint64Data }: TensorProto): number {
  return [floatData, doubleData, int32Data, int64Data, uint64Data].reduce((sum, { length }) => sum + length, 0);
}

/** The path is taken as onnxruntime takes it, from the folder of the model's own path; a link inside that folder may not lead out of it either. */
function externalFile(tensor: TensorProto, file: string): string {
  const location = tensor.externalData.find(({ key }) => key === 'location')?.value ?? '';
  const folder = dirname(file);
  const wanted = join(folder, location);
  if (location === '' || isAbsolute(location) || isOutside(folder, wanted)) {
    throw damaged(tensor, file, `lies in "${location}", outside the model's folder`);
  }
  if (!isFile(wanted)) {
    throw new ModelError({
      where: file,
      what: `the tensor "${tensor.name ?? ''}" lies in "${location}", which is not there`,
      hint: 'Put the data file of the model beside it.',
    });
  }
  if (isOutside(realpathSync(folder), realpathSync(wanted))) {
    throw damaged(tensor, file, `lies in "${location}", a link that leads outside the model's folder`);
  }
  return wanted;
}

/** False also for a name that no file can have, and a link that leads to itself. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isOutside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

function damaged(tensor: TensorProto, where: string, what: string): ModelError {
  return new ModelError({
    where,
    what: `the tensor "${tensor.name ?? ''}" ${what}`,
    hint: 'The file is damaged, or was not made for this machine; export the model again into a folder of its own.',
  });
}
