import { inferShapes } from '../inference/infer-shapes.ts';
import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { GraphProto, NodeProto } from '../onnx-schema.ts';
import { isConstantMatrixProduct } from '../quantize/plan.ts';
import { isOperator } from '../rewrite/attributes.ts';
import { type GraphIndex, indexGraph } from '../rewrite/graph-index.ts';
import { floatsOf, holdsFloats } from '../rewrite/tensor-values.ts';
import { elementCount, knownIntegers } from '../tensors.ts';

/** A node whose weights have channels: which channel each of its input and output positions belongs to. */
export interface ChannelNode {
  readonly node: NodeProto;
  /** `filters` makes channels of others; `depthwise` and `norm` keep each channel to itself, and their inputs are their outputs. */
  readonly kind: 'filters' | 'depthwise' | 'norm';
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** The channels of a network: positions in different values that can only be removed together are one channel. */
export interface Channels {
  readonly nodes: readonly ChannelNode[];
  /** The channel that a position belongs to, after all unions. */
  readonly channelOf: (position: number) => number;
  /** Whether nothing stands against removing it: an output of the model, or an operator that is not understood, reads no part of it. */
  readonly isRemovable: (channel: number) => boolean;
}

/** Operators through which every channel goes by itself, and a channel of zeros stays one. */
const CHANNELWISE = [
  'Relu',
  'LeakyRelu',
  'Tanh',
  'HardSwish',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'GlobalMaxPool',
];

/**
 * Follows channels through a graph that `normalize` has prepared: filters make them, additions tie them, concatenations line them up, flattening repeats them.
 *
 * @throws ModelError if the graph is not one that can run
 */
export function traceChannels(model: OnnxModel, where: string): Channels {
  const { graph } = model;
  const tracer = new Tracer(graph, inferShapes(model, where));
  for (const node of graph.node) tracer.follow(node);
  for (const { name = '' } of graph.output) tracer.fix(name);
  return tracer;
}

class Tracer implements Channels {
  readonly nodes: ChannelNode[] = [];
  readonly #index: GraphIndex;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  /** Positions of each value along its channel axis, where they are known. */
  readonly #positions = new Map<string, readonly number[]>();
  readonly #parents: number[] = [];
  readonly #fixed: number[] = [];

  constructor(graph: GraphProto, shapes: ReadonlyMap<string, readonly number[]>) {
    this.#index = indexGraph(graph);
    this.#shapes = shapes;
  }

  channelOf = (position: number): number => {
    let root = position;
    while (this.#parents[root] !== root) root = this.#parents[root] ?? root;
    for (let at = position; at !== root; ) {
      const next = this.#parents[at] ?? root;
      this.#parents[at] = root;
      at = next;
    }
    return root;
  };

  isRemovable = (channel: number): boolean => !this.#fixedChannels().has(channel);

  #fixedCache: ReadonlySet<number> | undefined;
  #fixedChannels(): ReadonlySet<number> {
    this.#fixedCache ??= new Set(this.#fixed.map(this.channelOf));
    return this.#fixedCache;
  }

  fix(name: string): void {
    this.#fixed.push(...(this.#positions.get(name) ?? []));
  }

  follow(node: NodeProto): void {
    const positions = this.#outputOf(node);
    if (positions === undefined) for (const name of node.input) this.fix(name);
    else this.#positions.set(node.output[0] ?? '', positions);
  }

  /** Positions of a node's output; undefined where the node is not understood. */
  #outputOf(node: NodeProto): readonly number[] | undefined {
    const data = node.input.filter((name) => name !== '' && this.#index.constantOf(name) === undefined);
    const parts = data.map((name) => this.#positions.get(name));
    const [first] = parts;
    if (isOperator(node, 'Conv')) return this.#convolution(node);
    if (isOperator(node, 'Gemm') && isConstantMatrixProduct(node, this.#index.constantOf)) {
      const isRow = intAttribute(node, 'transB', 0) === 1;
      const [rows = 0, columns = 0] = this.#index.constantOf(node.input[1])?.dims.map(Number) ?? [];
      return this.#filters(node, isRow ? columns : rows, isRow ? rows : columns);
    }
    if (first === undefined || parts.some((part) => part === undefined)) return undefined;
    if (isOperator(node, ...CHANNELWISE) && node.output.length === 1) return first;
    if (isOperator(node, 'Clip')) return this.#holdsZero(node) ? first : undefined;
    if (isOperator(node, 'BatchNormalization')) {
      const isConstant = node.input.slice(1).every((name) => this.#isOwnFloat(name));
      if (!isConstant) return undefined;
      this.nodes.push({ node, kind: 'norm', inputs: first, outputs: first });
      return first;
    }
    if (isOperator(node, 'Add', 'Mul') && parts.length === 2) return this.#tie(first, parts[1] ?? []);
    if (isOperator(node, 'Mul') && elementCount(this.#constantInput(node) ?? { dims: [0] }) === 1) return first;
    if (isOperator(node, 'Concat') && intAttribute(node, 'axis', 0) === 1 && data.length === node.input.length) {
      return parts.flatMap((part) => part ?? []);
    }
    return this.#flatten(node, data[0] ?? '', first);
  }

  #convolution(node: NodeProto): readonly number[] | undefined {
    const weight = this.#index.constantOf(node.input[1]);
    if (!holdsFloats(weight)) return undefined;
    const [outputs = 0, perGroup = 0] = weight.dims.map(Number);
    const groups = intAttribute(node, 'group', 1);
    if (groups === 1) return this.#filters(node, perGroup, outputs);
    const inputs = this.#positions.get(node.input[0] ?? '');
    const isDepthwise = groups === outputs && perGroup === 1 && inputs?.length === outputs;
    if (!isDepthwise || !node.input.slice(1).every((name) => name === '' || this.#isOwnFloat(name))) return undefined;
    this.nodes.push({ node, kind: 'depthwise', inputs, outputs: inputs });
    return inputs;
  }

  #filters(node: NodeProto, inputCount: number, outputCount: number): readonly number[] | undefined {
    if (!node.input.slice(1).every((name) => name === '' || this.#isOwnFloat(name))) return undefined;
    let inputs = this.#positions.get(node.input[0] ?? '');
    if (inputs?.length !== inputCount) {
      this.fix(node.input[0] ?? '');
      // What is not followed keeps all it has.
      inputs = this.#create(inputCount);
      this.#fixed.push(...inputs);
    }
    const outputs = this.#create(outputCount);
    this.nodes.push({ node, kind: 'filters', inputs, outputs });
    return outputs;
  }

  #tie(left: readonly number[], right: readonly number[]): readonly number[] | undefined {
    if (left.length !== right.length) return undefined;
    for (const [index, position] of left.entries()) {
      this.#parents[this.channelOf(right[index] ?? position)] = this.channelOf(position);
    }
    return left;
  }

  /** [batch, channels, ...] to [batch, channels * ...]: each channel becomes a run of positions. */
  #flatten(node: NodeProto, source: string, positions: readonly number[]): readonly number[] | undefined {
    const [from, to] = [this.#shapes.get(source), this.#shapes.get(node.output[0] ?? '')];
    const target = isOperator(node, 'Reshape')
      ? knownIntegers(this.#index.constantOf(node.input[1]) ?? emptyTensor)
      : [];
    // A number written into the target shape would no longer be true.
    const isOpen =
      target?.length === 2 ? target[1] === -1 : isOperator(node, 'Flatten') && intAttribute(node, 'axis', 1) === 1;
    if (!isOpen || from === undefined || to?.length !== 2 || from[1] !== positions.length) return undefined;
    const run = from.slice(2).reduce((product, size) => product * size, 1);
    if (to[1] !== positions.length * run) return undefined;
    return positions.flatMap((position) => new Array<number>(run).fill(position));
  }

  #holdsZero({ input }: NodeProto): boolean {
    const [low, high] = [1, 2].map((index) => floatsOf(this.#index.constantOf(input[index]))?.[0]);
    return (low === undefined ? !input[1] : low <= 0) && (high === undefined ? !input[2] : high >= 0);
  }

  /** Weights that two nodes share cannot be cut for one of them. */
  #isOwnFloat(name: string): boolean {
    return holdsFloats(this.#index.constantOf(name)) && this.#index.readersOf(name).length === 1;
  }

  #constantInput(node: NodeProto) {
    return node.input.map((name) => this.#index.constantOf(name)).find((tensor) => tensor !== undefined);
  }

  #create(count: number): number[] {
    const first = this.#parents.length;
    const created = Array.from({ length: count }, (_, index) => first + index);
    this.#parents.push(...created);
    return created;
  }
}

const emptyTensor = { dims: [0] } as never;
