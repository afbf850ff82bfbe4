import { inferShapes } from '../inference/infer-shapes.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { NodeProto } from '../onnx-schema.ts';
import { createNode } from './attributes.ts';
import { batchNormMap } from './fold-batch-norm.ts';
import { indexGraph, namer } from './graph-index.ts';
import { tensorOf } from './tensor-values.ts';

/**
 * Turns each batch normalisation of feature maps that could not be folded into a depthwise 1x1 convolution: y = scale * x + shift for each channel. Changes the model in place.
 *
 * The same function up to rounding, but one that has an integer kernel: without it every such node of a DenseNet takes its surroundings back to float.
 */
export function convolveNorms(model: OnnxModel, where: string): void {
  const { graph } = model;
  const { constantOf } = indexGraph(graph);
  const shapes = inferShapes(model, where);
  const nameFor = namer(graph);
  graph.node = graph.node.map((node): NodeProto => {
    const [input = '', scaleName = '', shiftName = ''] = node.input;
    const map = batchNormMap(node, constantOf);
    const spatial = (shapes.get(input)?.length ?? 0) - 2;
    if (map === undefined || spatial < 1) return node;
    const channels = map.scale.length;
    const [weight, bias] = [nameFor(`${scaleName}.conv`), nameFor(`${shiftName}.conv`)];
    const dims = [channels, 1, ...new Array<number>(spatial).fill(1)];
    graph.initializer.push(tensorOf(weight, 'float32', dims, Float32Array.from(map.scale)));
    graph.initializer.push(tensorOf(bias, 'float32', [channels], Float32Array.from(map.shift)));
    return createNode('Conv', node.name ?? '', [input, weight, bias], [node.output[0] ?? ''], { group: channels });
  });
}
