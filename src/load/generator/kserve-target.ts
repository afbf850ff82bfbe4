import { LoadError } from '../../errors.ts';
import { REST_APIS, type RestProtocol } from '../../kserve/index.ts';
import { countCorrect, countSamples, makeSampleBatches, type SampleBatch } from '../../models/index.ts';
import type { LoadTarget } from '../types.ts';
import type { InferenceWire } from './grpc-target.ts';
import { createRequestOrder } from './request-order.ts';
import {
  encodeHttpRequest,
  type Judgement,
  type PreparedRequest,
  type PreparedTarget,
  parseHttpUrl,
} from './requests.ts';

type KserveTarget = Extract<LoadTarget, { kind: 'kserve' }>;

/** Bodies are held in memory for a whole run: as many as fit into this, but never fewer than a few, so that a server cannot live off one remembered input. */
const BODIES_MB = 64;
const FEWEST_BODIES = 4;
/** Random inputs cost a server the same; more of them would tell nothing. */
const RANDOM_BODIES = 16;
const TOP_K = 5;

/**
 * Inference requests of one server, bodies encoded once.
 *
 * Labelled samples are all sent, each as often as any other, unless they exceed the memory for bodies.
 * @throws ModelError where no input can be made for the model
 */
export async function prepareKserveTarget(target: KserveTarget): Promise<PreparedTarget> {
  const wire = await wireOf(target);
  const encode = ({ tensors, labels }: SampleBatch): PreparedRequest => ({ bytes: wire.encode(tensors), labels });
  const makeBatches = (count: number) => makeSampleBatches(target.inputs, { ...target, count });
  const first = makeBatches(1).map(encode);
  const fitting = Math.floor((BODIES_MB * 1e6) / (first[0]?.bytes.length ?? 1));
  const most = Math.max(FEWEST_BODIES, fitting);
  if (target.distinct !== undefined && target.distinct > most) throw tooManyInputs(target.distinct, most);
  const count = target.distinct ?? Math.min(wantedBodies(target), most);
  return {
    ...{ transport: wire.transport, url: wire.url, method: 'POST' },
    requests: makeBatches(count).map(encode),
    makeOrder: () => createRequestOrder(count, target.popularity ?? { kind: 'in-turn' }, target.seed),
    judge: (...reply) => judgeInference(wire, ...reply),
  };
}

async function wireOf(target: KserveTarget): Promise<InferenceWire> {
  const { protocol } = target;
  if (protocol === 'image') throw new Error('images are no tensors; see image-target.ts');
  if (protocol !== 'grpc') return restWireOf(target, protocol);
  // Loaded where used: REST needs no protobuf.
  const { grpcWireOf } = await import('./grpc-target.ts');
  return grpcWireOf(target);
}

function restWireOf(target: KserveTarget, protocol: RestProtocol): InferenceWire {
  const api = REST_APIS[target.api ?? 'kserve-v2'];
  const url = parseHttpUrl(`${target.url.replace(/\/+$/, '')}${api.inferPath(target.modelName)}`);
  return {
    transport: 'http',
    url: url.href,
    encode: (tensors) => {
      const { headers, body } = api.encode(protocol, tensors);
      return encodeHttpRequest('POST', url, headers, body);
    },
    decode: (headers, body) => api.decode(headersByName(headers), new Uint8Array(body)),
  };
}

function tooManyInputs(distinct: number, most: number): LoadError {
  return new LoadError({
    what: `${distinct} distinct requests of this size do not fit into the ${BODIES_MB} MB kept for them`,
    hint: `Set generator.inputs to ${most} or less, or make requests smaller.`,
  });
}

/** Requests that hold every labelled sample equally often: the fewest whose items are a multiple of the samples. */
function wantedBodies({ dataset, batch }: KserveTarget): number {
  if (dataset === undefined) return RANDOM_BODIES;
  const samples = countSamples(dataset);
  return samples / greatestCommonDivisor(samples, batch);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** An answer is one that can be decoded and, where the request carries labels, whose first output holds a score for each. */
function judgeInference(
  wire: InferenceWire,
  { labels }: PreparedRequest,
  headers: readonly string[],
  body: Buffer,
): Judgement {
  try {
    const [scores] = wire.decode(headers, body);
    if (scores === undefined) return NO_ANSWER;
    if (labels === undefined) return { isAnswer: true, top1Correct: -1, top5Correct: -1 };
    return {
      isAnswer: true,
      top1Correct: countCorrect(scores, labels, 1),
      top5Correct: countCorrect(scores, labels, TOP_K),
    };
  } catch {
    // Whatever is wrong with a reply, it is the server's; the generator goes on and counts it.
    return NO_ANSWER;
  }
}

const NO_ANSWER: Judgement = { isAnswer: false, top1Correct: -1, top5Correct: -1 };

function headersByName(headers: readonly string[]): Readonly<Record<string, string>> {
  const byName: Record<string, string> = {};
  for (let index = 0; index + 1 < headers.length; index += 2) {
    byName[headers[index]?.toLowerCase() ?? ''] = headers[index + 1] ?? '';
  }
  return byName;
}
