import type { Problem } from '../errors.ts';
import type { CheckInput } from './checks.ts';
import { type FactorDefinition, findFactor } from './factors.ts';
import type { Level, Scalar } from './types.ts';
import { levelList, nearest, quote } from './wording.ts';

/** Levels make a factor: two or more that differ, in one place only, of things that exist and that the engine can apply. */
export function checkFactors(input: CheckInput): Problem[] {
  const { spec } = input;
  return [
    ...checkModelIsGiven(input),
    ...Object.entries(spec.factors).flatMap(([factor, levels]) => [
      ...checkCount(input, factor, levels),
      ...checkDuplicates(input, factor, levels),
    ]),
    ...checkPlacedOnce(input),
    ...checkModelNames(input),
    ...checkEngineCanApply(input),
    ...checkInterOpThreads(input),
  ];
}

function checkModelIsGiven({ spec, positions, isRefused }: CheckInput): Problem[] {
  if ('model' in spec.factors || 'model' in spec.fixed) return [];
  if (isRefused('factors', 'model') || isRefused('fixed', 'model')) return [];
  return [
    {
      where: positions.ofValue(['factors']),
      what: 'no model is named',
      hint: 'Add "model" under "factors", e.g. model: [squeezenet1.1, mobilenetv2], or under "fixed".',
    },
  ];
}

function checkCount({ host, positions }: CheckInput, factor: string, levels: readonly Level[]): Problem[] {
  const where = positions.ofValue(['factors', factor]);
  const examples = factor === 'model' ? host.modelNames : (findFactor(factor)?.examples ?? []);
  const [only] = levels;
  if (only === undefined) {
    return [
      {
        where,
        what: `factor "${factor}" has no levels`,
        hint: `An effect needs two. Add them, e.g. ${levelList(examples.slice(0, 2))}, or remove the factor.`,
      },
    ];
  }
  if (levels.length > 1) return [];
  const other = examples.find((example) => String(example) !== only.name);
  return [
    {
      where,
      what: `factor "${factor}" has one level (${only.name})`,
      hint:
        other === undefined
          ? `An effect needs two, and this version has no other. Move "${factor}" to "fixed".`
          : `An effect needs two. Add a level, e.g. ${levelList(ascending([only.name, other]))}, or move "${factor}" to "fixed".`,
    },
  ];
}

function ascending(levels: readonly Scalar[]): readonly Scalar[] {
  return levels.every((level) => Number.isFinite(Number(level)))
    ? [...levels].sort((a, b) => Number(a) - Number(b))
    : levels;
}

function checkDuplicates({ positions }: CheckInput, factor: string, levels: readonly Level[]): Problem[] {
  return levels.flatMap((level, at) => {
    const before = levels.slice(0, at);
    const where = positions.ofValue(['factors', factor, at]);
    if (before.some(({ name }) => name === level.name)) {
      return [
        { where, what: `factor "${factor}" has level ${quote(level.name)} twice`, hint: 'Remove one of the two.' },
      ];
    }
    const same = before.find(
      ({ value }) => value !== undefined && JSON.stringify(value) === JSON.stringify(level.value),
    );
    if (same === undefined) return [];
    return [
      {
        where,
        what: `factor "${factor}" has the same level under two names, ${quote(same.name)} and ${quote(level.name)}`,
        hint: 'Remove one of the two, or make them differ.',
      },
    ];
  });
}

function checkPlacedOnce({ written, positions }: CheckInput): Problem[] {
  return Object.entries(written.fixed)
    .filter(([factor, level]) => level !== undefined && written.factors[factor as keyof typeof written.factors])
    .map(([factor]) => ({
      where: positions.ofKey(['fixed', factor]),
      what: `factor "${factor}" is both varied and fixed`,
      hint: 'Remove it from "factors" or from "fixed".',
    }));
}

function checkModelNames({ spec, host, positions }: CheckInput): Problem[] {
  return levelsOf(spec, 'model').flatMap(({ level, path }) =>
    describeUnknownModel(String(level.value), host).map((problem) => ({ where: positions.ofValue(path), ...problem })),
  );
}

/** What to say of a model that is neither known by name nor a path; nothing where it is. */
export function describeUnknownModel(model: string, host: CheckInput['host']): Problem[] {
  if (isPath(model) || host.isKnownModel(model)) return [];
  const meant = nearest(model, host.modelNames);
  return [
    {
      what: `unknown model ${quote(model)}`,
      hint:
        meant === undefined
          ? `Known models: ${host.modelNames.join(', ')}. A model of your own is given by its path, e.g. ./model.onnx.`
          : `Did you mean "${meant}"? A model of your own is given by its path, e.g. ./model.onnx.`,
    },
  ];
}

function isPath(model: string): boolean {
  return /^\.{0,2}[/\\]/.test(model) || model.endsWith('.onnx');
}

function checkEngineCanApply({ spec, host, positions }: CheckInput): Problem[] {
  const { engine } = spec.server;
  // What can be asked of a server that already runs is for `checkServer` to say.
  if (engine === 'external') return [];
  return [...Object.keys(spec.factors), ...Object.keys(spec.fixed)].flatMap((factor) => {
    const definition = findFactor(factor);
    if (definition === undefined) return [];
    const why = whyNotApplied(definition, engine, host.platform);
    if (why === undefined) return [];
    const section = factor in spec.factors ? 'factors' : 'fixed';
    return [
      {
        where: positions.ofKey([section, factor]),
        what: `factor "${factor}" cannot be applied: ${why}`,
        hint: `Remove it, or use an engine that can: ${enginesFor(definition, engine).join(', ')}.`,
      },
    ];
  });
}

function whyNotApplied({ engines, group }: FactorDefinition, engine: string, platform: string): string | undefined {
  if (!engines.some((candidate) => candidate === engine)) return `engine ${engine} has no such setting`;
  if (group === 'limit' && engine === 'native' && platform !== 'linux') {
    return `engine native limits resources through Linux, and this is ${platform}`;
  }
  return undefined;
}

function enginesFor({ engines }: FactorDefinition, except: string): string[] {
  return engines.filter((engine) => engine !== except);
}

/** onnxruntime reads inter-op threads under parallel execution only; varying them elsewhere would show an effect of nothing. */
function checkInterOpThreads({ spec, positions, isRefused }: CheckInput): Problem[] {
  if (!('inter_op_threads' in spec.factors) || isRefused('factors', 'execution_mode')) return [];
  if (isRefused('fixed', 'execution_mode')) return [];
  if (levelsOf(spec, 'execution_mode').some(({ level }) => level.value === 'parallel')) return [];
  return [
    {
      where: positions.ofKey(['factors', 'inter_op_threads']),
      what: 'factor "inter_op_threads" has no effect under execution_mode "sequential"',
      hint: 'Add execution_mode: parallel under "fixed", or remove the factor.',
    },
  ];
}

/** Levels of a factor wherever it stands, with the path each is written at. */
export function levelsOf(
  spec: CheckInput['spec'],
  factor: string,
): { readonly level: Level; readonly path: readonly (string | number)[] }[] {
  const levels = Object.hasOwn(spec.factors, factor) ? spec.factors[factor] : undefined;
  const varied = (levels ?? []).map((level, at) => ({ level, path: ['factors', factor, at] }));
  const fixed = Object.hasOwn(spec.fixed, factor) ? spec.fixed[factor] : undefined;
  return fixed === undefined ? varied : [...varied, { level: fixed, path: ['fixed', factor] }];
}
