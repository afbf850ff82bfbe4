import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * The value by which onnxruntime's fusion of convolutions with additions would end the process: an output of the model that an addition reads as well. Undefined where there is none.
 *
 * The fusion (ConvAddActivationFusion, in its last level of optimisation) takes such a value into the addition although it is to be given too; no node gives it then, and running
 * the model is a segmentation fault. Seen in 1.30 where a normalisation or a constant was folded into the convolution, and where the output declares no type, whatever the order of
 * nodes; not behind an activation, and not with Sum. test/models/residual-addition.ts has such a graph.
 * Weights are skipped and not read, so that looking costs a server neither time nor memory. Bytes that are no model have none: onnxruntime says what is wrong with them.
 * @param model - path or bytes of an ONNX file
 */
export function fusedOutput(model: string | Uint8Array): string | undefined {
  if (typeof model !== 'string') return inModel((start, length) => model.subarray(start, start + length), model.length);
  const file = openSync(model, 'r');
  try {
    return inModel((start, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, start));
    }, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

/** What a session over a model needs among its `extra` settings so that running it cannot end the process; nothing for nearly all models. */
export function fusionSettings(model: string | Uint8Array): FusionSettings {
  if (fusedOutput(model) === undefined) return {};
  return { optimization: { disable_specified_optimizers: 'ConvAddActivationFusion' } };
}

export type FusionSettings = { readonly optimization?: { readonly disable_specified_optimizers: string } };

type ReadAt = (start: number, length: number) => Uint8Array;

/** Fields of ONNX's messages that are looked at, by their numbers in onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, output: 12 };
const NODE = { input: 1, output: 2, opType: 4, attribute: 5 };
const ATTRIBUTE_GRAPHS = [6, 11];
const VALUE_NAME = 1;
/** onnxruntime reads no deeper ones. */
const DEEPEST = 50;

function inModel(read: ReadAt, size: number): string | undefined {
  for (const { number, start, end } of partsOf(read, 0, size)) {
    const found = number === MODEL_GRAPH ? inGraph(read, start, end, 0) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Also in the graphs inside its nodes, each by itself. */
function inGraph(read: ReadAt, from: number, to: number, depth: number): string | undefined {
  const outputs: string[] = [];
  const nodes: OutlinedNode[] = [];
  if (depth > DEEPEST) return undefined;
  for (const { number, start, end } of partsOf(read, from, to)) {
    if (number === GRAPH.output) outputs.push(...textsIn(read, start, end, VALUE_NAME));
    if (number !== GRAPH.node) continue;
    const near = readAhead(read, start, end);
    nodes.push(outline(near, start, end));
    for (const [innerStart, innerEnd] of graphsIn(near, start, end)) {
      const found = inGraph(near, innerStart, innerEnd, depth + 1);
      if (found !== undefined) return found;
    }
  }
  return addedOutput(outputs, nodes);
}

interface OutlinedNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** An output that convolutions may stand behind, and that is added to another value. */
function addedOutput(outputs: readonly string[], nodes: readonly OutlinedNode[]): string | undefined {
  const made = new Set(nodes.flatMap((node) => (MAY_FUSE.includes(node.opType) ? node.outputs : [])));
  const added = new Set<string>();
  // Optimisation takes nodes out that only pass a value on.
  for (const { opType, inputs, outputs: given } of nodes.toReversed()) {
    const isPassedOn = PASSING.includes(opType) && given.some((name) => added.has(name));
    if (opType === 'Add' || isPassedOn) for (const name of inputs) added.add(name);
  }
  return outputs.find((name) => made.has(name) && added.has(name));
}

/** A convolution, or what optimisation may take into one. */
const MAY_FUSE = ['Conv', 'BatchNormalization', 'Mul', 'Add', 'Identity', 'Dropout', 'Cast'];
const PASSING = ['Identity', 'Dropout', 'Cast'];

function outline(read: ReadAt, start: number, end: number): OutlinedNode {
  return {
    opType: textsIn(read, start, end, NODE.opType)[0] ?? '',
    inputs: textsIn(read, start, end, NODE.input),
    outputs: textsIn(read, start, end, NODE.output),
  };
}

function graphsIn(read: ReadAt, from: number, to: number): [start: number, end: number][] {
  return [...partsOf(read, from, to)]
    .filter(({ number }) => number === NODE.attribute)
    .flatMap(({ start, end }) => [...partsOf(read, start, end)])
    .filter(({ number }) => ATTRIBUTE_GRAPHS.includes(number))
    .map(({ start, end }) => [start, end]);
}

function textsIn(read: ReadAt, from: number, to: number, field: number): string[] {
  return [...partsOf(read, from, to)]
    .filter(({ number }) => number === field)
    .map(({ start, end }) => new TextDecoder().decode(read(start, end - start)));
}

/** Most bytes of a node that are read at once; a larger one holds weights. */
const READ_AHEAD = 65_536;

function readAhead(read: ReadAt, start: number, end: number): ReadAt {
  if (end - start > READ_AHEAD) return read;
  const bytes = read(start, end - start);
  return (from, length) => bytes.subarray(from - start, from - start + length);
}

/** A field of a message that has a length: a text, or a message itself. */
interface Part {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** A field's key and length, ten bytes each at most. */
const HEAD_BYTES = 20;

/** The parts of a message in their order, up to the first byte that cannot be. Source: protobuf.dev, "Encoding". */
function* partsOf(read: ReadAt, from: number, to: number): Generator<Part> {
  for (let at = from; at < to; ) {
    const head = read(at, Math.min(HEAD_BYTES, to - at));
    const key = varint(head, 0);
    const second = varint(head, key.next);
    switch (key.value % 8) {
      case 0:
        at += second.next;
        break;
      case 1:
        at += key.next + 8;
        break;
      case 2: {
        const [start, end] = [at + second.next, at + second.next + second.value];
        if (!(end <= to)) return;
        yield { number: Math.floor(key.value / 8), start, end };
        at = end;
        break;
      }
      case 5:
        at += key.next + 4;
        break;
      default:
        return;
    }
  }
}

/** NaN where the bytes end before the number does. */
function varint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = from, factor = 1; at < bytes.length; at++, factor *= 128) {
    const byte = bytes[at] as number;
    value += (byte % 128) * factor;
    if (byte < 128) return { value, next: at + 1 };
  }
  return { value: Number.NaN, next: Number.NaN };
}
