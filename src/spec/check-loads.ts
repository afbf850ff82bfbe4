import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';
import { DEFAULT_LOADS } from './factors.ts';
import type { Load } from './types.ts';
import { nearest, quote } from './wording.ts';

/** Every load that is named has one definition, and every definition is used. */
export function checkLoads({ spec, written, positions, isRefused }: CheckInput): Problem[] {
  if (isRefused('factors', 'load') || isRefused('fixed', 'load')) return [];
  const levels = levelsOf(spec, 'load');
  const definitions: Readonly<Record<string, Load>> = written.loads;
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
  const twiceDefined = levels
    .filter(({ level }) => Object.hasOwn(definitions, level.name) && definitions[level.name] !== level.value)
    .map(({ level, path }) => ({
      where: positions.ofValue(path),
      what: `load ${quote(level.name)} is defined here and under "loads"`,
      hint: 'Keep one of the two definitions.',
    }));
  return [...undefinedLoads, ...unusedLoads, ...twiceDefined];
}
