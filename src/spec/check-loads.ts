import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';
import { DEFAULT_LOADS, type WrittenLoad } from './loads.ts';
import type { Path } from './positions.ts';
import type { Level } from './types.ts';
import { nearest, quote } from './wording.ts';

/** Every load that is named has one definition, and every definition is used. */
export function checkLoads({ spec, written, positions, isRefused }: CheckInput): Problem[] {
  if (isRefused('factors', 'load') || isRefused('fixed', 'load')) return [];
  const levels = levelsOf(spec, 'load');
  const definitions: Readonly<Record<string, WrittenLoad>> = written.loads;
  const known = [...new Set([...Object.keys(definitions), ...Object.keys(DEFAULT_LOADS)])];

  const undefinedLoads = levels
    .filter(({ level }) => level.value === undefined && !isRefused('loads', level.name))
    .map(({ level, path }) => {
      const meant = nearest(level.name, known);
      const how = `Define it under "loads", e.g. ${level.name}: { utilization: 0.6 }.`;
      return {
        where: positions.ofValue(path),
        what: `load ${quote(level.name)} is not defined`,
        hint: meant === undefined ? how : `Did you mean "${meant}"? Else: ${how}`,
      };
    });
  const unusedLoads = Object.keys(definitions)
    .filter((name) => !levels.some(({ level }) => level.name === name))
    .map((name) => ({
      where: positions.ofKey(['loads', name]),
      what: `load ${quote(name)} is defined, but no level uses it`,
      hint: `Add "${name}" to the levels of factor "load", or remove the definition.`,
    }));
  const twiceDefined = levelsWithDefinition(written)
    .filter(({ name }) => Object.hasOwn(definitions, name))
    .map(({ name, path }) => ({
      where: positions.ofValue(path),
      what: `load ${quote(name)} is defined here and under "loads"`,
      hint: 'Keep one of the two definitions.',
    }));
  return [...undefinedLoads, ...unusedLoads, ...twiceDefined];
}

/** A load and where it is written. */
export interface PlacedLoad {
  readonly name: string;
  readonly load: WrittenLoad;
  readonly path: Path;
}

/** Levels of the load factor that bring their own definition. */
export function levelsWithDefinition({ factors, fixed }: CheckInput['written']): PlacedLoad[] {
  const levels: readonly [unknown, Path][] = [
    ...((factors.load ?? []) as unknown[]).map((level, at): [unknown, Path] => [level, ['factors', 'load', at]]),
    [fixed.load, ['fixed', 'load']],
  ];
  return levels.flatMap(([level, path]) => {
    if (typeof level !== 'object' || level === null) return [];
    const { name, value } = level as Level;
    return [{ name, load: value as WrittenLoad, path }];
  });
}

/** One place says how often each request is sent. */
export function checkPopularity({ spec, positions }: CheckInput): Problem[] {
  const [first] = levelsOf(spec, 'popularity');
  if (first === undefined || spec.generator.popularity === undefined) return [];
  return [
    {
      where: positions.ofKey(['generator', 'popularity']),
      what: 'popularity is given twice, by "generator.popularity" and by the factor "popularity"',
      hint: 'Remove "generator.popularity".',
    },
  ];
}
