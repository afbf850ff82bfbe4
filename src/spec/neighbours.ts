import { z } from 'zod';
import { constantLoadSchema } from './loads.ts';
import type { Level, Neighbour } from './types.ts';
import { cpuList, memoryBytes, positiveNumber, text, wholeNumber } from './values.ts';
import { variantName } from './variants.ts';

export const NEIGHBOUR_ERROR =
  'none, one neighbour such as { name: neighbour, model: mobilenetv2, load: { utilization: 0.5 } }, or a list of such';

const HELD_LOAD = 'a load that a neighbour can hold: a utilization of at most 1, a rate or a concurrency';

const neighbour = z
  .strictObject(
    {
      name: text('a name, e.g. neighbour').describe('Name in tables and files, and of the level.'),
      model: text('the name of a model, or the path of an ONNX file, e.g. mobilenetv2').describe('Model it serves.'),
      variant: variantName().describe('Variant of its model.').prefault('fp32'),
      batch: wholeNumber(1, 4).describe('Items in one of its requests.').prefault(1),
      threads: wholeNumber(1, 2).describe('Threads of its runtime inside an operator.').prefault(1),
      cpus: positiveNumber(0.5).describe('Its CPU quota in CPUs. Not limited where left out.').optional(),
      cpuset: cpuList()
        .describe('CPUs it may run on. Where left out: those of the server under test, which it then shares.')
        .optional(),
      memory: memoryBytes().describe('Its memory limit. Not limited where left out.').optional(),
      load: constantLoadSchema
        .refine((load) => load.kind !== 'utilization' || load.utilization <= 1, { error: HELD_LOAD })
        .describe('Load it is held under; utilization is a share of what it can answer by itself.'),
    },
    { error: NEIGHBOUR_ERROR },
  )
  .transform(
    ({ cpus, cpuset, memory, ...rest }): Neighbour => ({
      ...rest,
      ...(cpus === undefined ? {} : { cpus }),
      ...(cpuset === undefined ? {} : { cpuset }),
      ...(memory === undefined ? {} : { memoryBytes: memory }),
    }),
  );

function toLevel(neighbours: readonly Neighbour[]): Level {
  return { name: neighbours.map(({ name }) => name).join('+'), value: neighbours };
}

/** A level of one neighbour. */
export const neighbourSchema = neighbour.transform((one) => toLevel([one]));

/** A level of several neighbours at once, named after all of them: `heavy+light`. */
export const neighbourListSchema = z
  .array(neighbour, { error: NEIGHBOUR_ERROR })
  .min(1, { error: NEIGHBOUR_ERROR })
  .transform(toLevel);

/** The neighbours that a level of the factor `colocated` stands for, or that a combination without the factor has: none. */
export function neighboursOf(level: Level | undefined): readonly Neighbour[] {
  return Array.isArray(level?.value) ? (level.value as readonly Neighbour[]) : [];
}
