import { GraphBuilder } from '../graph-builder.ts';
import { type Feature, ImageLayers } from '../layers.ts';
import { metadataKeys } from '../metadata.ts';
import type { ModelProto } from '../onnx-schema.ts';

/** What goes into an image network and how many classes come out. */
export interface ImageForm {
  readonly channels: number;
  /** Rows, and columns. */
  readonly size: number;
  readonly classes: number;
}

/** Of ImageNet. */
export const IMAGENET: ImageForm = { channels: 3, size: 224, classes: 1000 };
/** Grey digits, as MNIST has them. */
export const GREY_28: ImageForm = { channels: 1, size: 28, classes: 10 };
/** Small colour images, as CIFAR-10 has them. */
export const COLOUR_32: ImageForm = { channels: 3, size: 32, classes: 10 };

/** A network over images: input [batch, channels, size, size], output "logits" [batch, classes], which `body` must give that name. */
export function buildImageNetwork(
  name: string,
  seed: number,
  body: (layers: ImageLayers, input: Feature) => Feature,
  form: ImageForm = IMAGENET,
): ModelProto {
  const graph = new GraphBuilder(name);
  const input = graph.input('input', 'float32', ['batch', form.channels, form.size, form.size]);
  const { channels } = body(new ImageLayers(graph, seed), { value: input, channels: form.channels });
  graph.output('logits', 'float32', ['batch', channels]);
  return graph.build({ [metadataKeys.syntheticWeights]: 'true', [metadataKeys.seed]: String(seed) });
}
