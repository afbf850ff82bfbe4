import type { OnnxModel } from '../onnx-file.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { traceChannels } from './channels.ts';
import { ReaderElimination } from './elimination.ts';
import { blockOf, type FilterLayer, type FilterPlanner, groupLayers } from './filters.ts';
import { type OutputLoss, openOutputLoss } from './output-loss.ts';
import { type ReaderSamples, sampleReader } from './reader-samples.ts';

/** Shares of a layer's blocks at which it is tried what the whole network loses; in between, losses follow the error of the layers that read it. */
const TRIED = [0.25, 0.5, 0.75];
/** Batches of samples on which that is tried. */
const TRIED_BATCHES = 6;

/**
 * Ranks all channels by what removing them costs the layers that read them, on real samples; undefined where a layer is too large for that, or not plain.
 *
 * Within each layer channels go one by one, each time the one whose loss the remaining inputs can make up for best: the squared error of the readers' outputs after the best fit, as a
 * share of their variance, summed over the readers. What a layer's share costs the whole network is then tried, a layer at a time with its readers refitted: the squared error of the
 * model's outputs as a share of their variance. Last, all layers are emptied together, always where the next block of filters costs least for each filter, so that layers with filters
 * to spare give more than those without. Every layer keeps a block.
 */
export async function rankByActivation(
  model: OnnxModel,
  set: CalibrationSet,
  where: string,
): Promise<FilterPlanner | undefined> {
  const channels = traceChannels(model, where);
  const layers = groupLayers(channels);
  const removable = new Set(layers.flatMap((layer) => layer.channels));
  const readers: Reader[] = [];
  for (const entry of channels.nodes) {
    const own = entry.inputs.map((position) => channels.channelOf(position));
    if (entry.kind !== 'filters' || !own.some((channel) => removable.has(channel))) continue;
    const samples = await sampleReader(model, entry, set, where);
    if (samples === undefined) return undefined;
    readers.push({ ...samples, channels: own });
  }
  const few = { ...set, batches: set.batches.slice(0, TRIED_BATCHES) };
  const lossOf = await openOutputLoss(model, channels, few, where);
  const queues: Block[][] = [];
  for (const layer of layers) queues.push(await weighted(blocksOf(layer, readers), lossOf));
  const blocks = mergeByCost(queues);
  const total = layers.reduce((sum, layer) => sum + layer.makers * layer.channels.length, 0);
  return (share) => {
    const removed = new Set<number>();
    let filters = 0;
    for (const block of blocks) {
      // To whichever side of the share is nearer.
      if (filters + block.filters / 2 > share * total) break;
      for (const channel of block.channels) removed.add(channel);
      filters += block.filters;
    }
    return { channels, removed };
  };
}

interface Reader extends ReaderSamples {
  /** The channel of each of its inputs. */
  readonly channels: readonly number[];
}

/** Channels that go together. */
interface Block {
  readonly channels: readonly number[];
  /** Filters that go with them. */
  readonly filters: number;
  /** What they add to the error of the layer's readers, over `filters`; once weighted, to that of the model's outputs. */
  readonly cost: number;
}

/** The channels of a layer in blocks, in the order they go, without the last one, which stays. */
function blocksOf(layer: FilterLayer, readers: readonly Reader[]): Block[] {
  const views = readers.flatMap((reader): View[] => {
    const inputs = new Map<number, number[]>(layer.channels.map((channel) => [channel, []]));
    for (const [position, channel] of reader.channels.entries()) {
      const run = Array.from({ length: reader.perChannel }, (_, k) => position * reader.perChannel + k);
      inputs.get(channel)?.push(...run);
    }
    const isRead = [...inputs.values()].some((run) => run.length > 0);
    return isRead
      ? [
          {
            inputs,
            elimination: new ReaderElimination(reader.gram, reader.weights, reader.outputs),
          },
        ]
      : [];
  });
  const order = eliminate(layer.channels, views);
  const size = blockOf(layer);
  const ends: number[] = [];
  // What is over a whole number of blocks goes first.
  for (let end = order.length % size || size; end <= order.length - size; end += size) ends.push(end);
  const errorAfter = (count: number) => order.slice(0, count).reduce((sum, { cost }) => sum + cost, 0);
  return ends.map((end, index): Block => {
    const start = ends[index - 1] ?? 0;
    const filters = (end - start) * layer.makers;
    return {
      channels: order.slice(start, end).map(({ channel }) => channel),
      filters,
      cost: (errorAfter(end) - errorAfter(start)) / filters,
    };
  });
}

/** Blocks of one layer, their costs brought from its readers' error to the outputs' by what was measured for some of them. */
async function weighted(blocks: readonly Block[], lossOf: OutputLoss): Promise<Block[]> {
  const ends = [...new Set(TRIED.map((share) => Math.max(1, Math.round(share * blocks.length))))];
  const result: Block[] = [];
  let before = 0;
  for (const end of ends.filter((each) => each <= blocks.length)) {
    const removed = new Set(blocks.slice(0, end).flatMap(({ channels }) => channels));
    const loss = Math.max(before, await lossOf(removed));
    const part = blocks.slice(result.length, end);
    const local = part.reduce((sum, { cost, filters }) => sum + cost * filters, 0);
    const scale = local > 0 ? (loss - before) / local : 0;
    result.push(...part.map((block) => ({ ...block, cost: block.cost * scale })));
    before = loss;
  }
  const [last] = result.slice(-1);
  const lastScale = last === undefined ? 0 : last.cost / (blocks[result.length - 1]?.cost || 1);
  return [...result, ...blocks.slice(result.length).map((block) => ({ ...block, cost: block.cost * lastScale }))];
}

/** All blocks, those of each queue in its order, always the one that costs least next. */
function mergeByCost(queues: readonly (readonly Block[])[]): Block[] {
  const taken = queues.map(() => 0);
  const merged: Block[] = [];
  for (;;) {
    const heads = queues.flatMap((queue, index) => {
      const block = queue[taken[index] as number];
      return block === undefined ? [] : [{ block, index }];
    });
    const [first, ...others] = heads;
    if (first === undefined) return merged;
    const next = others.reduce((best, head) => (head.block.cost < best.block.cost ? head : best), first);
    merged.push(next.block);
    taken[next.index] = (taken[next.index] as number) + 1;
  }
}

interface View {
  /** Inputs of the reader by channel. */
  readonly inputs: ReadonlyMap<number, readonly number[]>;
  readonly elimination: ReaderElimination;
}

/** Channels of a layer in the order they go, each with what it adds to the error. */
function eliminate(channels: readonly number[], views: readonly View[]): { channel: number; cost: number }[] {
  const left = new Set(channels);
  const order: { channel: number; cost: number }[] = [];
  while (left.size > 0) {
    const costs = [...left].map((channel) => ({
      channel,
      cost: views.reduce(
        (sum, { inputs, elimination }) => sum + elimination.errorWithout(inputs.get(channel) ?? []),
        0,
      ),
    }));
    const next = costs.reduce((least, each) => (each.cost < least.cost ? each : least));
    left.delete(next.channel);
    for (const { inputs, elimination } of views) elimination.remove(inputs.get(next.channel) ?? []);
    order.push(next);
  }
  return order;
}
