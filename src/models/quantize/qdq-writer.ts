import type { GraphProto, NodeProto, TensorProto } from '../onnx-schema.ts';
import { createNode } from '../rewrite/attributes.ts';
import { indexGraph, namer } from '../rewrite/graph-index.ts';
import { tensorOf } from '../rewrite/tensor-values.ts';
import type { Scale } from './scales.ts';

/** Writes pairs and integer weights with their scales into a graph. New nodes have no names: a thousand names are a percent of a small model's file. */
export class QdqWriter {
  readonly nodes: NodeProto[] = [];
  readonly nameFor: (wish: string) => string;
  readonly constantOf: (name: string | undefined) => TensorProto | undefined;
  readonly #graph: GraphProto;
  /** Constants that many nodes read, by what they hold. */
  readonly #shared = new Map<string, string>();

  constructor(graph: GraphProto) {
    this.#graph = graph;
    this.nameFor = namer(graph);
    this.constantOf = indexGraph(graph).constantOf;
  }

  /**
   * A pair that rounds `source`.
   * @returns the name of the rounded value, or of `source` where `result` gives the former
   */
  pair(name: string, source: string, { scale, zeroPoint }: Scale, result?: string): string {
    const [integers, rounded] = [this.nameFor(`${name}.q`), result ?? this.nameFor(`${name}.dq`)];
    const parameters = [
      this.#once(`scale.${name}`, (own) => tensorOf(own, 'float32', [], Float32Array.of(scale))),
      this.#once(`zero.u${zeroPoint}`, (own) => tensorOf(own, 'uint8', [], Uint8Array.of(zeroPoint))),
    ];
    this.nodes.push(createNode('QuantizeLinear', '', [source, ...parameters], [integers]));
    this.nodes.push(createNode('DequantizeLinear', '', [integers, ...parameters], [rounded]));
    return result === undefined ? rounded : source;
  }

  /** Integers with a scale for each entry along `axis`; returns the name of the values they stand for. */
  integers(
    name: string,
    type: 'int8' | 'int32',
    dims: readonly number[],
    values: Int8Array | Int32Array,
    scales: Float32Array,
    axis: number,
  ): string {
    const count = scales.length;
    const zeros = this.#once(`zeros.${type}.${count}`, (own) =>
      type === 'int8'
        ? tensorOf(own, type, [count], new Int8Array(count))
        : tensorOf(own, type, [count], new Int32Array(count)),
    );
    const [integers, steps, result] = [
      this.nameFor(`${name}.q`),
      this.nameFor(`${name}.scales`),
      this.nameFor(`${name}.dq`),
    ];
    this.#graph.initializer.push(tensorOf(integers, type, dims, values as never));
    this.#graph.initializer.push(tensorOf(steps, 'float32', [count], scales));
    this.nodes.push(createNode('DequantizeLinear', '', [integers, steps, zeros], [result], { axis }));
    return result;
  }

  #once(key: string, create: (name: string) => TensorProto): string {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.nameFor(key);
    this.#graph.initializer.push(create(name));
    this.#shared.set(key, name);
    return name;
  }
}
