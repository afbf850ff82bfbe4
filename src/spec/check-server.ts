import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';
import { FACTOR_NAMES, FACTORS, type FactorDefinition, findFactor, isAppliedByServer } from './factors.ts';

/** Settings of `server` that are about starting it. */
const STARTING_KEYS = ['image', 'base_image', 'context', 'network', 'engine_args', 'cpuset'] as const;

/** A server other than dse's own is asked only for what can be applied to it. */
export function checkServer(input: CheckInput): Problem[] {
  const { description, url } = input.spec.server;
  const isOther = input.written.server.description !== undefined || url !== undefined;
  if (!isOther) return [];
  return [
    ...checkEngine(input),
    ...checkStartingKeys(input),
    // Without its description nothing is known of what it can apply.
    ...(description === undefined && url === undefined ? [] : [...checkFactors(input), ...checkLevels(input)]),
  ];
}

function checkEngine({ spec, positions }: CheckInput): Problem[] {
  const { engine, url, description } = spec.server;
  if (url !== undefined && engine !== 'external') {
    return [
      {
        where: positions.ofKey(['server', 'url']),
        what: `a server that already runs ("server.url") is not started with the engine ${engine}`,
        hint: 'Leave out the engine (--engine, "server.engine"), or leave out "server.url" to have a server started.',
      },
    ];
  }
  if (url !== undefined || engine !== 'native') return [];
  return [
    {
      where: positions.ofKey(['server', 'description']),
      what: `the server "${description?.name ?? ''}" runs from an image, and the engine native runs none`,
      hint: 'Set engine: docker or engine: podman, here or with --engine.',
    },
  ];
}

function checkStartingKeys({ written, positions }: CheckInput): Problem[] {
  const { url, description } = written.server;
  return STARTING_KEYS.filter((key) => written.server[key] !== undefined)
    .filter((key) => url !== undefined || key === 'base_image')
    .map((key) => ({
      where: positions.ofKey(['server', key]),
      what:
        url !== undefined
          ? `"server.${key}" cannot be applied to a server that already runs`
          : `"server.${key}" is for dse's own server image, and ${description} describes another server`,
      hint: 'Remove it.',
    }));
}

function checkFactors({ spec, written, positions }: CheckInput): Problem[] {
  const { url, description } = spec.server;
  const can = applicableFactors(spec);
  return (['factors', 'fixed'] as const).flatMap((section) =>
    Object.entries(written[section])
      .filter(([factor, level]) => level !== undefined && !can.includes(factor) && !asksNothing(factor, level))
      .map(([factor]) => ({
        where: positions.ofKey([section, factor]),
        what:
          url === undefined
            ? `factor "${factor}" cannot be applied: the server "${description?.name}" does not declare it`
            : `factor "${factor}" cannot be applied to a server that already runs`,
        hint: `What can be applied here: ${can.join(', ')}. Remove it${url === undefined ? `, or declare it under "factors" of ${written.server.description} where the server has such a setting` : ''}.`,
      })),
  );
}

/** A fixed `colocated: none`, `placement: apart` or `gateway: off` is how it is anyway. */
function asksNothing(factor: string, level: unknown): boolean {
  const definition = findFactor(factor);
  return (
    (factor === 'gateway' && level === 'off') ||
    (definition !== undefined &&
      ['colocation', 'placement'].includes(definition.group) &&
      level === definition.defaultLevel)
  );
}

/** Factors that dse can apply to the server of a spec: by what it sends, by the file and the limits it starts a server with, and by what the server declares. */
function applicableFactors({ server }: CheckInput['spec']): string[] {
  return FACTOR_NAMES.filter((name) => {
    const definition: FactorDefinition = FACTORS[name];
    if (name === 'model' || definition.group === 'request' || definition.group === 'load') return true;
    if (server.url !== undefined) return false;
    if (isAppliedByServer(definition)) return Object.hasOwn(server.description?.factors ?? {}, name);
    return ['limit', 'model', 'front'].includes(definition.group);
  });
}

function checkLevels({ spec, positions }: CheckInput): Problem[] {
  const { description } = spec.server;
  if (description === undefined) return [];
  const allowed = Object.entries(description.factors).flatMap(([factor, { values }]) =>
    values === undefined ? [] : [{ factor, levels: Object.keys(values) }],
  );
  return [{ factor: 'protocol', levels: description.protocols }, ...allowed].flatMap(({ factor, levels }) =>
    levelsOf(spec, factor)
      .filter(({ level }) => !levels.includes(String(level.value)))
      .map(({ level, path }) => ({
        where: positions.ofValue(path),
        what: `${factor} "${level.name}" cannot be applied: the server "${description.name}" has no such setting`,
        hint: `It can apply ${factor} ${levels.join(', ')}.`,
      })),
  );
}
