import { GraphBuilder } from '../graph-builder.ts';
import { type Feature, ImageLayers } from '../layers.ts';
import { metadataKeys } from '../metadata.ts';
import type { ModelProto } from '../onnx-schema.ts';

/** A network over ImageNet-sized images: input [batch, 3, 224, 224], output "logits" [batch, 1000], which `body` must give that name. */
export function buildImageNetwork(
  name: string,
  seed: number,
  body: (layers: ImageLayers, input: Feature) => Feature,
): ModelProto {
  const graph = new GraphBuilder(name);
  const input = graph.input('input', 'float32', ['batch', 3, 224, 224]);
  const { channels } = body(new ImageLayers(graph, seed), { value: input, channels: 3 });
  graph.output('logits', 'float32', ['batch', channels]);
  return graph.build({ [metadataKeys.syntheticWeights]: 'true', [metadataKeys.seed]: String(seed) });
}
