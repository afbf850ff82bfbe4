import { intAttribute } from '../inference/operator.ts';
import { type GraphProto, type NodeProto, onnxDataTypes, type TensorProto } from '../onnx-schema.ts';
import { createNode, isOperator } from '../rewrite/attributes.ts';
import { type GraphIndex, indexGraph, namer } from '../rewrite/graph-index.ts';
import { floatsOf, holdsFloats, tensorOf } from '../rewrite/tensor-values.ts';
import { elementCount, knownIntegers } from '../tensors.ts';
import { quantizeWeights } from './scales.ts';

/** Bytes of the file that storing a tensor as integers must save: below, the nodes that read it back in every run are not worth it. */
const SMALLEST_SAVING = 4096;
const RECURRENT = ['LSTM', 'GRU', 'RNN'];

/**
 * Stores as int8, each row by its own largest element, the float weights that no integer kernel multiplies: those of recurrent layers, and tables that rows are looked up in.
 *
 * The file gets smaller, the arithmetic stays in float: x = scale of the row * integer. Recurrent weights are constants still, from which onnxruntime makes floats once, when it loads the model.
 * Of a table, the rows looked up are turned into floats each time, so that the table takes a quarter of the memory too. Rows by their own scales, because words differ in length more than
 * the columns of one do. Changes the graph in place; it must be swept afterwards.
 * @returns how many tensors were stored
 */
export function storeAsIntegers(graph: GraphProto): number {
  const index = indexGraph(graph);
  const nameFor = namer(graph);
  const stored = new Set<TensorProto>();
  for (const tensor of [...graph.initializer]) {
    const { name = '' } = tensor;
    const readers = index.readersOf(name);
    if (readers.length === 0 || index.isOutput(name)) continue;
    const isRecurrent = readers.every((node) => isRecurrentWeight(node, name));
    if (!isRecurrent && !readers.every((node) => picksRows(node, name, index))) continue;
    // Recurrent weights are [directions, gates x hidden, inputs], tables [rows, ...].
    const rowDimensions = isRecurrent ? 2 : 1;
    if (!savesEnough(tensor, rowDimensions)) continue;
    const rows = storeRows(graph, tensor, rowDimensions, nameFor);
    if (isRecurrent) graph.node.push(...backToFloat(rows, name, nameFor));
    else graph.node = graph.node.flatMap((node) => (readers.includes(node) ? pickRows(node, rows, nameFor) : [node]));
    stored.add(tensor);
  }
  graph.initializer = graph.initializer.filter((tensor) => !stored.has(tensor));
  return stored.size;
}

function isRecurrentWeight(node: NodeProto, name: string): boolean {
  return isOperator(node, ...RECURRENT) && node.input.every((read, at) => read !== name || at === 1 || at === 2);
}

/** Whether a node gives whole rows of the table and nothing else of it. */
function picksRows(node: NodeProto, name: string, { constantOf }: GraphIndex): boolean {
  const [table, ...others] = node.input;
  if (table !== name || others.includes(name)) return false;
  if (isOperator(node, 'Gather')) return intAttribute(node, 'axis', 0) === 0;
  const axes = constantOf(node.input[3]);
  return isOperator(node, 'Slice') && axes !== undefined && String(knownIntegers(axes)) === '0';
}

function savesEnough(tensor: TensorProto, rowDimensions: number): boolean {
  if (!holdsFloats(tensor) || tensor.dims.length <= rowDimensions) return false;
  const elements = elementCount(tensor);
  const rows = elementCount({ dims: tensor.dims.slice(0, rowDimensions) });
  return 3 * elements - 4 * rows >= SMALLEST_SAVING;
}

interface StoredRows {
  readonly integers: string;
  /** One for each row, with as many dimensions as the integers have. */
  readonly scales: string;
}

function storeRows(
  graph: GraphProto,
  tensor: TensorProto,
  rowDimensions: number,
  nameFor: (wish: string) => string,
): StoredRows {
  const dims = tensor.dims.map(Number);
  const rowDims = dims.slice(0, rowDimensions);
  const rows = elementCount({ dims: rowDims });
  const { values, scales } = quantizeWeights(
    floatsOf(tensor) as Float32Array,
    [rows, elementCount(tensor) / rows],
    0,
    undefined,
    1,
  );
  const names = { integers: nameFor(`${tensor.name}.q`), scales: nameFor(`${tensor.name}.scales`) };
  const scaleDims = [...rowDims, ...new Array<number>(dims.length - rowDimensions).fill(1)];
  graph.initializer.push(
    tensorOf(names.integers, 'int8', dims, values),
    tensorOf(names.scales, 'float32', scaleDims, scales),
  );
  return names;
}

/** A product and not a DequantizeLinear: onnxruntime computes the product of constants once, when it loads the model, and the other in every run. */
function backToFloat({ integers, scales }: StoredRows, output: string, nameFor: (wish: string) => string): NodeProto[] {
  const cast = nameFor(`${output}.cast`);
  return [
    createNode('Cast', '', [integers], [cast], { to: onnxDataTypes.float32 }),
    createNode('Mul', '', [cast, scales], [output]),
  ];
}

/** Rows and their scales are looked up alike. */
function pickRows(node: NodeProto, table: StoredRows, nameFor: (wish: string) => string): NodeProto[] {
  const [output = ''] = node.output;
  const picked = { integers: nameFor(`${output}.q`), scales: nameFor(`${output}.scales`) };
  const pick = (from: string, to: string, name: string): NodeProto => ({
    ...node,
    name,
    input: [from, ...node.input.slice(1)],
    output: [to],
  });
  return [
    pick(table.integers, picked.integers, node.name ?? ''),
    pick(table.scales, picked.scales, ''),
    ...backToFloat(picked, output, nameFor),
  ];
}
