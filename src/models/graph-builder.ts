import {
  type AttributeProto,
  attributeTypes,
  createMessage,
  type ModelProto,
  type NodeProto,
  onnxDataTypes,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-schema.ts';
import type { DataType } from './types.ts';

/** What every built file declares. Operator set 17 is the newest whose operators all appear in onnxruntime releases since 1.13. */
const OPSET_VERSION = 17;
const IR_VERSION = 8;

/** An attribute's value. A plain number is an integer. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };

/**
 * Collects nodes, weights, inputs and outputs, and makes an ONNX model of them.
 *
 * Values are known by name, as in ONNX itself: `node` returns the name of its output, which is the next node's input. Nodes must be added in the order they run.
 * The layers of `layers.ts` are written over it.
 */
export class GraphBuilder {
  readonly name: string;
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Declares an input of the model. A dimension given as a name, e.g. "batch", is left open. */
  input(name: string, type: DataType, shape: readonly (number | string)[]): string {
    this.#inputs.push(describeValue(name, type, shape));
    return name;
  }

  /** Declares an output of the model; some node must produce it under this name. */
  output(name: string, type: DataType, shape: readonly (number | string)[]): void {
    this.#outputs.push(describeValue(name, type, shape));
  }

  /** Adds an operator with one output, and returns the output's name: `output`, or else the node's name. */
  node(
    opType: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output: string = name,
  ): string {
    const attribute = Object.entries(attributes).map(([key, value]) => describeAttribute(key, value));
    this.#nodes.push(createMessage('NodeProto', { name, opType, input: [...inputs], output: [output], attribute }));
    return output;
  }

  /** Adds a float32 weight, and returns its name. */
  floats(name: string, shape: readonly number[], values: Float32Array): string {
    return this.#initializer(name, 'float32', shape, values);
  }

  /** Adds a list of int64, e.g. a shape or axes, and returns its name. */
  integers(name: string, values: readonly number[]): string {
    return this.#initializer(name, 'int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** The model. `metadata` becomes the file's own key-value pairs. */
  build(metadata: Readonly<Record<string, string>>): ModelProto {
    return createMessage('ModelProto', {
      irVersion: IR_VERSION,
      producerName: 'dse',
      opsetImport: [createMessage('OperatorSetIdProto', { domain: '', version: OPSET_VERSION })],
      metadataProps: Object.entries(metadata).map(([key, value]) =>
        createMessage('StringStringEntryProto', { key, value }),
      ),
      graph: createMessage('GraphProto', {
        name: this.name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      }),
    });
  }

  #initializer(
    name: string,
    type: keyof typeof onnxDataTypes,
    shape: readonly number[],
    values: Float32Array | BigInt64Array,
  ): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#initializers.push(
      createMessage('TensorProto', { name, dims: [...shape], dataType: onnxDataTypes[type], rawData }),
    );
    return name;
  }
}

function describeValue(name: string, type: DataType, shape: readonly (number | string)[]): ValueInfoProto {
  const dim = shape.map((size) =>
    createMessage('DimensionProto', typeof size === 'number' ? { dimValue: size } : { dimParam: size }),
  );
  const tensorType = createMessage('TensorType', {
    elemType: onnxDataTypes[type],
    shape: createMessage('TensorShapeProto', { dim }),
  });
  return createMessage('ValueInfoProto', { name, type: createMessage('TypeProto', { tensorType }) });
}

function describeAttribute(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'number') return createMessage('AttributeProto', { name, type: attributeTypes.int, i: value });
  if (typeof value === 'string') {
    return createMessage('AttributeProto', { name, type: attributeTypes.string, s: new TextEncoder().encode(value) });
  }
  if ('float' in value) return createMessage('AttributeProto', { name, type: attributeTypes.float, f: value.float });
  return createMessage('AttributeProto', { name, type: attributeTypes.ints, ints: [...value] });
}
