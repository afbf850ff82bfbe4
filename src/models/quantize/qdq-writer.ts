import type { GraphProto, NodeProto, TensorProto } from '../onnx-schema.ts';
import { createNode } from '../rewrite/attributes.ts';
import { indexGraph, namer } from '../rewrite/graph-index.ts';
import { tensorOf } from '../rewrite/tensor-values.ts';
import type { QuantizedWeights, Scale } from './scales.ts';

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
      this.#scale(scale),
      this.#once(`zero.u${zeroPoint}`, (own) => tensorOf(own, 'uint8', [], Uint8Array.of(zeroPoint))),
    ];
    this.nodes.push(createNode('QuantizeLinear', '', [source, ...parameters], [integers]));
    this.nodes.push(createNode('DequantizeLinear', '', [integers, ...parameters], [rounded]));
    return result === undefined ? rounded : source;
  }

  /**
   * Integer weights with a scale for each entry along `axis`.
   * @param hasZeros - whether zero points are written, which are 0 also where they are not: onnxruntime's kernels of matrix products ask for them
   * @returns names of the values they stand for, and of the scales
   */
  weights(
    name: string,
    dims: readonly number[],
    { values, scales }: QuantizedWeights,
    axis: number,
    hasZeros: boolean,
  ): { readonly result: string; readonly scales: string } {
    const count = scales.length;
    const zeros = () => this.#once(`zeros.${count}`, (own) => tensorOf(own, 'int8', [count], new Int8Array(count)));
    const [integers, steps] = [this.nameFor(`${name}.q`), this.nameFor(`${name}.scales`)];
    this.#graph.initializer.push(tensorOf(integers, 'int8', dims, values), tensorOf(steps, 'float32', [count], scales));
    const parameters = hasZeros ? [steps, zeros()] : [steps];
    return { result: this.#dequantize(name, [integers, ...parameters], axis), scales: steps };
  }

  /**
   * An integer bias, whose steps are the weights' times the input's: a product of constants, which onnxruntime computes when it loads the model, and the file need not hold.
   * @returns the name of the values it stands for
   */
  bias(name: string, values: Int32Array, inputScale: number, weightScales: string): string {
    const [integers, steps] = [this.nameFor(`${name}.q`), this.nameFor(`${name}.scales`)];
    this.#graph.initializer.push(tensorOf(integers, 'int32', [values.length], values));
    this.nodes.push(createNode('Mul', '', [this.#scale(inputScale), weightScales], [steps]));
    return this.#dequantize(name, [integers, steps], 0);
  }

  #dequantize(name: string, input: readonly string[], axis: number): string {
    const result = this.nameFor(`${name}.dq`);
    this.nodes.push(createNode('DequantizeLinear', '', input, [result], { axis }));
    return result;
  }

  #scale(scale: number): string {
    return this.#once(`scale.${scale}`, (own) => tensorOf(own, 'float32', [], Float32Array.of(scale)));
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
