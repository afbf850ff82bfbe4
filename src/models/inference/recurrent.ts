import { type Inferred, intAttribute, type Operator, textAttribute } from './operator.ts';

interface Sizes {
  readonly length: number;
  readonly batch: number;
  readonly inputs: number;
  readonly directions: number;
  readonly hidden: number;
}

/** Of X [length, batch, inputs] and W [directions, gates x hidden, inputs]; undefined where batch comes first, which no runtime supports. */
function sizesOf({ node, inputs: [x, w] }: Operator, gates: number): Sizes | undefined {
  const [length, batch, inputs] = x?.shape ?? [];
  const [directions, rows] = w?.shape ?? [];
  if (length === undefined || batch === undefined || inputs === undefined || directions === undefined) return undefined;
  if (intAttribute(node, 'layout', 0) !== 0 || rows === undefined) return undefined;
  const isDirected = (textAttribute(node, 'direction', 'forward') === 'bidirectional') === (directions === 2);
  return isDirected ? { length, batch, inputs, directions, hidden: rows / gates } : undefined;
}

/** All outputs, the last, and for an LSTM the last cell state. */
export function inferRecurrent(operator: Operator, gates: number): Inferred[] | undefined {
  const sizes = sizesOf(operator, gates);
  if (sizes === undefined) return undefined;
  const { length, batch, directions, hidden } = sizes;
  const last = { shape: [directions, batch, hidden] };
  return [{ shape: [length, directions, batch, hidden] }, last, last];
}

/** Every gate multiplies the input and the state before, at every step. */
export function recurrentMacs(operator: Operator, gates: number): number | undefined {
  const sizes = sizesOf(operator, gates);
  if (sizes === undefined) return undefined;
  const { length, batch, inputs, directions, hidden } = sizes;
  return length * batch * directions * gates * hidden * (inputs + hidden);
}
