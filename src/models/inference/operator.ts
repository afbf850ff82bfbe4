import type { Int64, NodeProto } from '../onnx-schema.ts';

/** What is known of a value before the model runs. */
export interface Inferred {
  readonly shape: readonly number[];
  /** The elements, where they are known whole numbers and few: shapes and axes are computed inside many graphs. */
  readonly values?: readonly number[] | undefined;
}

/** One node with what is known of its inputs. An input that is left out or not known is undefined. */
export interface Operator {
  readonly node: NodeProto;
  readonly inputs: readonly (Inferred | undefined)[];
}

/** What an operator does to shapes, and what it multiplies. */
export interface OperatorRule {
  /** The node's outputs in order; undefined where they cannot be known. Called only once every input that the node names is known. */
  readonly infer: (operator: Operator) => readonly (Inferred | undefined)[] | undefined;
  /** Multiply-adds, from the shapes of inputs and outputs. Absent where the operator has none that are counted. */
  readonly macs?: (operator: Operator, outputs: readonly (Inferred | undefined)[]) => number | undefined;
}

export function intAttribute(node: NodeProto, name: string, fallback: number): number {
  const value = node.attribute.find((attribute) => attribute.name === name)?.i;
  return value === undefined ? fallback : toNumber(value);
}

export function intsAttribute(node: NodeProto, name: string): number[] | undefined {
  return node.attribute.find((attribute) => attribute.name === name)?.ints.map(toNumber);
}

export function textAttribute(node: NodeProto, name: string, fallback: string): string {
  const bytes = node.attribute.find((attribute) => attribute.name === name)?.s;
  return bytes === undefined ? fallback : new TextDecoder().decode(bytes);
}

/** An axis counted from the end is negative. */
export function positiveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

/** ONNX writes the largest int64 for "to the end"; as a double it is as large as any size. */
function toNumber(value: Int64): number {
  return Number(value);
}
