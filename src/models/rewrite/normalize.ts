import { ModelError } from '../../errors.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { GraphProto, ModelProto, NodeProto } from '../onnx-schema.ts';
import { isOperator } from './attributes.ts';
import { foldBatchNorms } from './fold-batch-norm.ts';
import { indexGraph } from './graph-index.ts';
import { sweep } from './sweep.ts';

/** Weights that are no graph inputs came with this version of the format. */
const SMALLEST_IR_VERSION = 4;

/**
 * Brings a model into the form that all rewrites start from: constants stand among the weights, nodes that do nothing when serving are gone, batch normalisations
 * are folded where they can be. Changes the model in place.
 * @returns how many batch normalisations were folded
 * @throws ModelError if the graph is not one that can run
 */
export function normalize(model: OnnxModel, where: string): number {
  const { graph } = model;
  const weights = new Set(graph.initializer.map(({ name }) => name));
  // Old files list their weights as inputs too, which would let a caller override them.
  graph.input = graph.input.filter(({ name }) => !weights.has(name));
  model.irVersion = Math.max(Number(model.irVersion), SMALLEST_IR_VERSION);
  liftConstants(graph);
  bypassIdle(graph);
  const folded = foldBatchNorms(graph);
  sweep(graph, where);
  return folded;
}

/** Version of the standard operators that the model asks for. */
export function opsetOf({ opsetImport }: ModelProto): number {
  return Number(opsetImport.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 0);
}

/** @throws ModelError if the standard operators are older than `smallest` */
export function requireOpset(model: ModelProto, smallest: number, purpose: string, where: string): void {
  const found = opsetOf(model);
  if (found >= smallest) return;
  throw new ModelError({
    where,
    what: `the model uses operator set ${found}, and ${purpose} needs ${smallest} or newer`,
    hint: `Export the model again with operator set ${smallest} or newer, e.g. opset_version=17.`,
  });
}

/** `Constant` nodes that hold a tensor become weights. */
function liftConstants(graph: GraphProto): void {
  graph.node = graph.node.filter((node) => {
    const tensor = isOperator(node, 'Constant') ? node.attribute.find(({ name }) => name === 'value')?.t : undefined;
    if (tensor === undefined) return true;
    graph.initializer.push({ ...tensor, name: node.output[0] ?? '' });
    return false;
  });
}

/** `Identity`, and `Dropout` that drops nothing, are taken out wherever what they give is not an output of the model. */
function bypassIdle(graph: GraphProto): void {
  const { isOutput, readersOf } = indexGraph(graph);
  const source = new Map<string, string>();
  const isIdle = (node: NodeProto) => {
    const [output = '', mask = ''] = node.output;
    const isUsedMask = mask !== '' && (readersOf(mask).length > 0 || isOutput(mask));
    const isDroppingNothing = isOperator(node, 'Dropout') && !node.input[2] && !isUsedMask;
    return (isOperator(node, 'Identity') || isDroppingNothing) && !isOutput(output);
  };
  const hasInnerGraphs = graph.node.some(({ attribute }) => attribute.some(({ g, graphs }) => g || graphs.length > 0));
  if (hasInnerGraphs) return;
  const idle = new Set(graph.node.filter(isIdle));
  for (const node of idle) source.set(node.output[0] ?? '', node.input[0] ?? '');
  const origin = (name: string): string => {
    const before = source.get(name);
    return before === undefined ? name : origin(before);
  };
  graph.node = graph.node.filter((node) => !idle.has(node));
  for (const node of graph.node) node.input = node.input.map(origin);
}
