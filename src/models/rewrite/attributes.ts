import { type AttributeProto, attributeTypes, createMessage, type NodeProto } from '../onnx-schema.ts';

export function intAttributeOf(name: string, value: number): AttributeProto {
  return createMessage('AttributeProto', { name, type: attributeTypes.int, i: value });
}

export function floatAttribute(node: NodeProto, name: string, fallback: number): number {
  return node.attribute.find((attribute) => attribute.name === name)?.f ?? fallback;
}

/** A node with the attributes given, each a whole number. */
export function createNode(
  opType: string,
  name: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, number>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([key, value]) => intAttributeOf(key, value));
  return createMessage('NodeProto', { opType, name, input: [...input], output: [...output], attribute });
}

/** Whether a node is of the standard operators, and of one of these types. */
export function isOperator(node: NodeProto | undefined, ...types: readonly string[]): boolean {
  const { domain = '', opType = '' } = node ?? {};
  return (domain === '' || domain === 'ai.onnx') && types.includes(opType);
}
