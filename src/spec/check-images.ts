import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';
import type { Level } from './types.ts';

/** A request of the protocol `image` is one image, so `batch` is 1 wherever it is asked for. */
export function checkImages({ spec, positions }: CheckInput): Problem[] {
  const image = levelsOf(spec, 'protocol').find(({ level }) => level.value === 'image');
  if (image === undefined) return [];
  return levelsOf(spec, 'batch')
    .filter(({ level }) => level.value !== 1 && !isExcluded(spec, image.level, level))
    .map(({ level, path }) => ({
      where: positions.ofValue(path),
      what: `a batch of ${level.name} cannot be sent as images: a request is one image`,
      hint: `Leave it out, or exclude it: { when: { protocol: image, batch: ${level.name} }, why: "one image a request" }.`,
    }));
}

/** Whether an exclusion takes out the combination whatever else is served. */
function isExcluded({ exclude }: CheckInput['spec'], protocol: Level, batch: Level): boolean {
  const levels: Readonly<Record<string, Level>> = { protocol, batch };
  return exclude.some(({ when }) =>
    Object.entries(when).every(([factor, names]) => names.includes(levels[factor]?.name ?? '')),
  );
}
