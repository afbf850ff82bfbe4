import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';

/** A limit of loaded models is given only where a server has several. */
export function checkMaxLoaded({ spec, positions, isRefused }: CheckInput): Problem[] {
  if (levelsOf(spec, 'placement').some(({ level }) => level.value === 'together')) return [];
  if (isRefused('factors', 'placement') || isRefused('fixed', 'placement')) return [];
  return levelsOf(spec, 'max_loaded')
    .slice(0, 1)
    .map(({ path }) => ({
      where: positions.ofValue(path),
      what: '"max_loaded" has no effect, because every server has one model: "placement" is "together" at no level',
      hint: 'Add neighbours under "colocated" and "placement: together", or leave "max_loaded" out.',
    }));
}

/** A preferred size that no level of `max_batch` allows would be varied without an effect. */
export function checkPreferredBatch({ spec, positions }: CheckInput): Problem[] {
  const most = Math.max(...levelsOf(spec, 'max_batch').map(({ level }) => Number(level.value) || 0));
  if (!(most > 0)) return [];
  return levelsOf(spec, 'preferred_batch').flatMap(({ level, path }) =>
    [level.value]
      .flat()
      .filter((size) => typeof size === 'number' && size > most)
      .map((size) => ({
        where: positions.ofValue(path),
        what: `a preferred size of ${size} has no effect, because "max_batch" is at most ${most}`,
        hint: `Leave it out, or give "max_batch" a level of at least ${size}.`,
      })),
  );
}

/** Settings of dynamic batching are given only where some level has it on: else they would be varied without an effect. */
export function checkBatching({ spec, positions }: CheckInput): Problem[] {
  if (levelsOf(spec, 'max_batch').some(({ level }) => level.value !== 'off')) return [];
  return ['max_queue_delay_ms', 'preferred_batch'].flatMap((factor) =>
    levelsOf(spec, factor)
      .slice(0, 1)
      .map(({ path }) => ({
        where: positions.ofValue(path),
        what: `"${factor}" has no effect, because "max_batch" is off at every level`,
        hint: `Add "max_batch", e.g. max_batch: [off, 8], or leave "${factor}" out.`,
      })),
  );
}
