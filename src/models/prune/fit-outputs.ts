import { intAttribute } from '../inference/operator.ts';
import type { OnnxModel } from '../onnx-file.ts';
import type { NodeProto } from '../onnx-schema.ts';
import type { CalibrationSet } from '../quantize/calibrate.ts';
import { indexGraph } from '../rewrite/graph-index.ts';
import { openRunner } from '../runner.ts';
import type { NamedTensor } from '../types.ts';
import type { FilterPlan } from './filters.ts';
import { correctLayer } from './layer-weights.ts';
import { LeastSquares } from './least-squares.ts';
import { outputsOf, squaredDistance, varianceOf } from './output-loss.ts';
import { patchReader } from './patches.ts';
import { type ItemValues, type SlopesAt, slopesOver } from './slopes.ts';

/** Share of the outputs' variance that a pruned model's error on held-out samples must be for a fit to be worth its time. */
const LEAST_ERROR = 0.05;
/** Times that all layers are gone through. */
const SWEEPS = 2;
/** Share of the loss that a layer's correction must have taken away for the layer to be gone through again. */
const WORTH = 0.01;
/** Shares of the mean square by which weights are held where they are; that which does best on held-out samples is taken. */
const RIDGES = [1, 0.3, 0.1, 0.03, 0.01];
/** Every so many batches one is held out. */
const HELD_OUT = 5;
/** Weights of a layer, beyond which its equations would take minutes. */
const MOST_WEIGHTS = 700;
/** Multiply-adds of an item times items times outputs, beyond which the slopes of a layer would take minutes. */
const MOST_WORK = 1.2e9;

/**
 * Fits a pruned model's layers, the last one first, so that the model's output is again what the parent's was. Changes the pruned model in place.
 *
 * `refit` makes each layer give again what its own channels gave in the parent, with which a network that has no channels to spare cannot be content: what matters is what the layers
 * behind make of them. So here every layer is fitted to the outputs themselves: the output is taken as linear in the layer's weights, by its slopes at each sample, and the least-squares
 * correction that is best on samples held out of the fit is made, or none where none is better (a step of Gauss and Newton with Levenberg's ridge, a layer at a time). No labels are used.
 * Left as it is where its outputs are near the parent's already, where it would take minutes, and where a layer's way to the output is not of operators that there is a rule for.
 * Source: Levenberg (1944), "A method for the solution of certain non-linear problems in least squares", Quarterly of Applied Mathematics 2.
 * @param macs - multiply-adds of one item in the pruned model
 * @returns corrections made
 */
export async function fitOutputs(
  parent: OnnxModel,
  pruned: OnnxModel,
  { channels }: FilterPlan,
  set: CalibrationSet,
  macs: number | undefined,
  where: string,
): Promise<number> {
  const [output, ...others] = pruned.graph.output;
  const fitted = { ...set, batches: set.batches.filter((_, index) => index % HELD_OUT !== HELD_OUT - 1) };
  const heldOut = { ...set, batches: set.batches.filter((_, index) => index % HELD_OUT === HELD_OUT - 1) };
  if (output?.name === undefined || others.length > 0 || heldOut.batches.length === 0 || macs === undefined) return 0;
  const [targets = []] = await outputsOf(parent, fitted, where);
  const wanted = (await outputsOf(parent, heldOut, where)).flat();
  if (!(macs * targets.length * (targets[0]?.length ?? 0) <= MOST_WORK)) return 0;
  const lossOf = async (model: OnnxModel) => {
    const found = (await outputsOf(model, heldOut, where)).flat();
    return wanted.reduce((sum, row, index) => sum + squaredDistance(row, found[index] ?? []), 0);
  };
  const names = new Set(channels.nodes.flatMap(({ kind, node }) => (kind === 'norm' ? [] : [node.output[0]])));
  let layers = pruned.graph.node.filter((node) => names.has(node.output[0])).toReversed();
  let loss = await lossOf(pruned);
  if (loss < LEAST_ERROR * varianceOf([wanted])) return 0;
  let made = 0;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const worthAnother: NodeProto[] = [];
    for (const node of layers) {
      const equations = await equationsOf({ model: pruned, node, output: output.name, targets, set: fitted, where });
      const before = loss;
      if (equations !== undefined) loss = await correctIfBetter(pruned, node, equations, lossOf, before);
      if (loss < before) made++;
      if (loss < (1 - WORTH) * before) worthAnother.push(node);
    }
    layers = worthAnother;
  }
  return made;
}

/** Makes the correction that leaves the least loss, if it is less than before. @returns the loss after */
async function correctIfBetter(
  model: OnnxModel,
  node: NodeProto,
  { filters, solve }: LayerEquations,
  lossOf: (model: OnnxModel) => Promise<number>,
  before: number,
): Promise<number> {
  const untouched = { weights: model.graph.initializer, input: node.input };
  let best = { ...untouched, loss: before };
  for (const ridge of RIDGES) {
    correctLayer(model, node, byFilter(solve(ridge), filters));
    const loss = await lossOf(model);
    if (loss < best.loss) best = { weights: model.graph.initializer, input: node.input, loss };
    model.graph.initializer = untouched.weights;
    node.input = untouched.input;
  }
  model.graph.initializer = best.weights;
  node.input = best.input;
  return best.loss;
}

interface LayerFit {
  readonly model: OnnxModel;
  readonly node: NodeProto;
  readonly output: string;
  /** What the output should be, a row for each item. */
  readonly targets: readonly (readonly number[])[];
  readonly set: CalibrationSet;
  readonly where: string;
}

interface LayerEquations {
  readonly filters: number;
  readonly solve: (ridge: number) => Float64Array;
}

/** One row for each item and element of the output: its slopes over all weights and biases of the layer, and what it lacks. Undefined where they are not to be had. */
async function equationsOf({
  model,
  node,
  output,
  targets,
  set,
  where,
}: LayerFit): Promise<LayerEquations | undefined> {
  const { graph } = model;
  const [input = '', weightName = ''] = node.input;
  const [made = ''] = node.output;
  const reader = patchReader(node, indexGraph(graph).constantOf(weightName)?.dims.map(Number) ?? []);
  if (reader === undefined) return undefined;
  const isGrouped = intAttribute(node, 'group', 1) > 1;
  await using runner = await openRunner(model, where, graph.node.flatMap((each) => each.output).filter(Boolean));
  let fit: { readonly equations: LeastSquares; readonly slopesAt: SlopesAt; readonly filters: number } | undefined;
  const patch = new Float64Array(reader.size + 1).fill(1);
  let counted = 0;
  for (const batch of set.batches) {
    const values = new Map([...batch.map((each) => [each.name, each] as const), ...(await runner.run(batch))]);
    const [given, found] = [values.get(input), values.get(made)];
    if (given === undefined || found === undefined) return undefined;
    fit ??= openFit(found.shape[1] ?? 0, itemOf(values, 0));
    if (fit === undefined) return undefined;
    const { equations, slopesAt, filters } = fit;
    for (let item = 0; item < (found.shape[0] ?? 0); item++) {
      const own = itemOf(values, item);
      const answer = Array.from(own.valueOf(output));
      const slopes = slopesAt(own);
      const rows = answer.map(() => new Float64Array(equations.inputs));
      const places = slopes.length / rows.length / filters;
      for (let place = 0; place < places; place++) {
        for (let filter = 0; filter < filters; filter++) {
          if (filter === 0 || isGrouped) reader.read(given, item, place, found, patch, isGrouped ? filter : 0);
          const slope = (filter * places + place) * rows.length;
          for (const [at, row] of rows.entries()) {
            addScaled(row, filter * patch.length, patch, slopes[slope + at] as number);
          }
        }
      }
      const target = targets[counted++] ?? [];
      equations.addMany(
        rows,
        answer.map((value, at) => (target[at] ?? 0) - value),
      );
    }
  }
  return fit && { filters: fit.filters, solve: (ridge) => fit?.equations.solve(ridge) ?? new Float64Array() };

  function openFit(filters: number, item: ItemValues) {
    const weights = filters * patch.length;
    const slopesAt = weights > MOST_WEIGHTS ? undefined : slopesOver(graph, made, output, item);
    return slopesAt && { equations: new LeastSquares(weights, 1), slopesAt, filters };
  }
}

function addScaled(row: Float64Array, first: number, patch: Float64Array, factor: number): void {
  if (factor === 0) return;
  for (let at = 0; at < patch.length; at++)
    row[first + at] = (row[first + at] as number) + factor * (patch[at] as number);
}

/** Views of what one item has in each value, in which items come first. */
function itemOf(values: ReadonlyMap<string, NamedTensor>, item: number): ItemValues {
  const shapeOf = (name: string) => values.get(name)?.shape ?? [];
  return {
    shapeOf,
    valueOf: (name) => {
      const data = (values.get(name)?.data ?? []) as Float32Array;
      const size = data.length / (shapeOf(name)[0] ?? 1);
      return data.subarray(item * size, (item + 1) * size);
    },
  };
}

/** The solution of each filter, one after the other. */
function byFilter(solution: Float64Array, filters: number): Float64Array[] {
  const size = solution.length / filters;
  return Array.from({ length: filters }, (_, filter) => solution.subarray(filter * size, (filter + 1) * size));
}
