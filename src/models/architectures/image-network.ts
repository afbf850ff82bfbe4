import { GraphBuilder } from '../graph-builder.ts';
import { type Feature, ImageLayers } from '../layers.ts';
import type { ModelProto } from '../onnx-schema.ts';

/** Names in a file's metadata, by which a model of ours is known again. */
export const SYNTHETIC_WEIGHTS_KEY = 'dse.synthetic_weights';
export const SEED_KEY = 'dse.seed';

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
  return graph.build({ [SYNTHETIC_WEIGHTS_KEY]: 'true', [SEED_KEY]: String(seed) });
}
