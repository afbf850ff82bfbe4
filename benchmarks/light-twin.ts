import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadDriver } from '../src/load/types.ts';
import { GraphBuilder } from '../src/models/graph-builder.ts';
import type { ResolvedModel } from '../src/models/index.ts';
import { writeOnnx } from '../src/models/onnx-file.ts';
import type { ServingSettings } from '../src/server/index.ts';
import { offer, PLAIN_ENGINE } from './serving-rig.ts';

/** V8 optimises a function after some thousand calls, which a model of 8 ms gives a server within a minute at the earliest. */
const COMPILE_REQUESTS = 6_000;
/** Requests that take long enough by themselves, as large ones in JSON, are not waited for any longer, seconds. */
const COMPILE_WITHIN_S = 20;

/**
 * A model that takes the same images as another and answers as many numbers, but computes next to nothing.
 *
 * A server that is to be measured as it is after its first minute, its code compiled, answers some thousand requests for the twin first: they take the same way through it as those for the
 * model itself.
 * @param model - with one input of images, channels first, and one output of numbers for each
 */
export async function lightTwinOf({ name, inputs, outputs }: ResolvedModel): Promise<{ readonly file: string }> {
  const [{ name: inputName, type, shape }, output] = [inputs[0], outputs[0]] as [
    ResolvedModel['inputs'][number],
    ResolvedModel['outputs'][number],
  ];
  const [batch = 'batch', channels] = shape;
  const classes = output.shape.at(-1);
  if (shape.length !== 4 || typeof channels !== 'number' || typeof classes !== 'number') {
    throw new Error(`${name} is no model of images and classes: no light twin can be made of it`);
  }
  const graph = new GraphBuilder('light-twin');
  const means = graph.node('GlobalAveragePool', 'means', [graph.input(inputName, type, shape)]);
  const flat = graph.node('Flatten', 'flat', [means]);
  const weights = graph.floats('weights', [channels, classes], new Float32Array(channels * classes));
  graph.node('MatMul', 'classes', [flat, weights], {}, output.name);
  graph.output(output.name, 'float32', [batch, classes]);
  const file = join(tmpdir(), 'dse-benchmarks', `${name}-light-twin.onnx`);
  await writeFile(file, writeOnnx(graph.build({})));
  return { file };
}

/** Lets a server, and what stands before it, answer until the code that every request runs is compiled. The driver is prepared for the twin. */
export async function compileBy(driver: LoadDriver): Promise<void> {
  let answered = 0;
  for (let seconds = 0; answered < COMPILE_REQUESTS && seconds < COMPILE_WITHIN_S; seconds++) {
    answered += (await offer(driver, { kind: 'closed', concurrency: 2 }, 1)).achievedRps;
  }
}

/** Two sessions: a single one of so small a model would not be on a thread of its own, as that of a larger one is. */
export const ON_THREADS: ServingSettings = { engine: PLAIN_ENGINE, instances: 2 };
