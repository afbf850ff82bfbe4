import { LoadError } from '../../errors.ts';
import { classifyPath, decodeClassification } from '../../kserve/index.ts';
import { countSamples, type LabelledImage, makeImages } from '../../models/index.ts';
import type { LoadTarget } from '../types.ts';
import { createRequestOrder } from './request-order.ts';
import {
  encodeHttpRequest,
  type Judgement,
  type PreparedRequest,
  type PreparedTarget,
  parseHttpUrl,
} from './requests.ts';

type KserveTarget = Extract<LoadTarget, { kind: 'kserve' }>;

/** Random images cost a server about the same; more of them would tell nothing. */
const RANDOM_IMAGES = 16;
const NO_ANSWER: Judgement = { isAnswer: false, top1Correct: -1, top5Correct: -1 };

/**
 * Requests that are each a JPEG or PNG file: every labelled sample as a PNG, or random images.
 * @throws LoadError or ModelError where no image can be made for the model
 */
export async function prepareImageTarget(target: KserveTarget): Promise<PreparedTarget> {
  const { dataset, popularity = { kind: 'in-turn' }, seed, modelName } = target;
  const count = target.distinct ?? (dataset === undefined ? RANDOM_IMAGES : countSamples(dataset));
  const url = parseHttpUrl(`${target.url.replace(/\/+$/, '')}${classifyPath(modelName)}`);
  const images = await imagesFor(target, count);
  return {
    ...{ transport: 'http', url: url.href, method: 'POST' },
    requests: images.map(({ bytes, label }) => ({
      bytes: encodeHttpRequest('POST', url, {}, bytes),
      labels: label === undefined ? undefined : [label],
    })),
    makeOrder: () => createRequestOrder(count, popularity, seed),
    judge: judgeClassification,
  };
}

/** The first images of a load. @throws LoadError or ModelError where none can be made for the model */
export async function imagesFor(target: KserveTarget, count: number): Promise<readonly LabelledImage[]> {
  const { image, batch, modelName, inputs, dataset, seed } = target;
  if (batch !== 1) {
    throw new LoadError({
      what: `a batch of ${batch} cannot be sent as images`,
      hint: 'A request is one image: set "batch" to 1.',
    });
  }
  if (image === undefined) {
    throw new LoadError({
      where: modelName,
      what: 'nothing says how images become its input',
      hint: 'Put an .image.json beside the model (docs/serving.md, "Images").',
    });
  }
  return await makeImages(inputs, { image, dataset, count, seed });
}

/** An answer is one that names classes; it is right where the label is the first of them, or among the first five. */
function judgeClassification({ labels }: PreparedRequest, _headers: readonly string[], body: Buffer): Judgement {
  try {
    const classes = decodeClassification(body);
    if (labels === undefined) return { isAnswer: true, top1Correct: -1, top5Correct: -1 };
    const rank = classes.indexOf(labels[0] as number);
    return { isAnswer: true, top1Correct: rank === 0 ? 1 : 0, top5Correct: rank >= 0 && rank < 5 ? 1 : 0 };
  } catch {
    return NO_ANSWER;
  }
}
