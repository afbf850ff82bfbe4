import type { z } from 'zod';
import type { Problem } from '../errors.ts';
import { FACTOR_NAMES } from './factors.ts';
import type { Path, Positions } from './positions.ts';
import { specJsonSchema, specSchema, type WrittenSpec } from './schema.ts';
import { quote, suggestName } from './wording.ts';

type Issue = z.core.$ZodIssue;

/** The parts of a spec that its schema accepts, and a problem for each that it does not. */
export interface SchemaOutcome {
  readonly written: WrittenSpec;
  /** The plain data behind `written`. */
  readonly data: object;
  readonly problems: readonly Problem[];
  /** Whether something at, below or above the path was refused, so that what follows from that is not reported again. */
  isRefused(...path: Path): boolean;
}

/** Stand for what was refused where something must stand: a key without a default, an entry of a list whose later entries keep their places. */
const PLACEHOLDERS = { name: 'refused' };
const ENTRY_PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  exclude: { when: {}, why: 'refused' },
  objectives: { minimize: 'refused' },
  contexts: 'refused',
};

/**
 * Parses the plain data of a spec. What the schema refuses is reported and left out, so that the checks that need several keys at once still see all the rest, and one run of
 * dse names every problem of a file.
 */
export function parseWritten(data: unknown, positions: Positions): SchemaOutcome {
  const result = specSchema.safeParse(data);
  if (result.success) return { written: result.data, data: data as object, problems: [], isRefused: () => false };

  const issues = mostTellingOf(result.error);
  const refused = issues.flatMap(refusedPaths);
  const accepted = { ...PLACEHOLDERS, ...without(data, refused) };
  return {
    written: specSchema.parse(accepted),
    data: accepted,
    problems: describeIssues(issues, data, positions, jsonSchema()),
    isRefused: (...path) =>
      refused.some((other) => path.every((step, at) => other[at] === undefined || other[at] === step)),
  };
}

/** What a schema refuses of the data of a file, each with its place in it. */
export function describeRefusals(
  error: z.ZodError,
  data: unknown,
  positions: Pick<Positions, 'ofKey' | 'ofValue'>,
  schema: Readonly<Record<string, unknown>>,
): Problem[] {
  return describeIssues(mostTellingOf(error), data, positions, schema);
}

function mostTellingOf({ issues }: { readonly issues: readonly Issue[] }): Issue[] {
  return issues.flatMap(mostTelling);
}

function describeIssues(
  issues: readonly Issue[],
  data: unknown,
  positions: Pick<Positions, 'ofKey' | 'ofValue'>,
  schema: JsonSchemaNode,
): Problem[] {
  return issues
    .filter((issue) => !followsFromUnknownKey(issue, issues))
    .flatMap((issue) => describeIssue(issue, data, positions, schema));
}

/** A rule over an object's keys that fails because one of them is misspelt: `{ minimise: ... }` also lacks a `minimize`. */
function followsFromUnknownKey(issue: Issue, issues: readonly Issue[]): boolean {
  const at = JSON.stringify(issue.path);
  return (
    issue.code === 'custom' &&
    issues.some(({ code, path }) => code === 'unrecognized_keys' && JSON.stringify(path) === at)
  );
}

/** For a union: the issues of the last alternative whose type fits (objects stand last), or else of the first. */
function mostTelling(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return [issue];
  const fits = (inner: Issue[]) => inner.every(({ path, code }) => path.length > 0 || code !== 'invalid_type');
  const meant = issue.errors.findLast(fits) ?? issue.errors[0] ?? [];
  return meant.flatMap((inner) => mostTelling({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** What to leave out: a key, an entry of a section, or an entry of a list. */
function refusedPaths(issue: Issue): Path[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys' && path.length < 2) return issue.keys.map((key) => [...path, key]);
  return [path.slice(0, 2)];
}

function without(data: unknown, refused: readonly Path[]): object {
  if (refused.some(({ length }) => length === 0)) return {};
  const isRefused = (...path: Path) =>
    refused.some((other) => other.length === path.length && other.every((step, at) => step === path[at]));
  const withoutEntries = (section: string, value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map((entry, at) => (isRefused(section, at) ? ENTRY_PLACEHOLDERS[section] : entry));
    }
    return typeof value === 'object' && value !== null ? withoutKeys(value, (key) => isRefused(section, key)) : value;
  };
  const sections = Object.entries(withoutKeys(data as object, (key) => isRefused(key)));
  return Object.fromEntries(sections.map(([section, value]) => [section, withoutEntries(section, value)]));
}

function withoutKeys(value: object, isDropped: (key: string) => boolean): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isDropped(key)));
}

function describeIssue(
  issue: Issue,
  data: unknown,
  positions: Pick<Positions, 'ofKey' | 'ofValue'>,
  schema: JsonSchemaNode,
): Problem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      where: positions.ofKey([...path, key]),
      what: isFactorList(path) ? `unknown factor "${key}"` : `unknown key "${key}"${placeOf(path)}`,
      hint: isFactorList(path)
        ? suggestName(key, FACTOR_NAMES, 'factors')
        : suggestName(key, keysAt(path, schema), 'keys'),
    }));
  }
  const value = valueAt(data, path);
  return [
    {
      where: positions.ofValue(path),
      what: `${subjectOf(path)} ${stateOf(value, path)}`,
      hint: `Give ${issue.message}.`,
    },
  ];
}

function isFactorList(path: Path): boolean {
  return path.length === 1 && (path[0] === 'factors' || path[0] === 'fixed');
}

function placeOf(path: Path): string {
  return path.length === 0 ? '' : ` in "${dotted(path)}"`;
}

function subjectOf(path: Path): string {
  if (path.length === 0) return 'the file';
  if (path[0] === 'factors' && path.length === 3 && typeof path[2] === 'number')
    return `a level of factor "${path[1]}"`;
  return `"${dotted(path)}"`;
}

function dotted(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

function stateOf(value: unknown, path: Path): string {
  if (value === undefined) return 'is missing';
  if (value === null) return 'is empty';
  if (path.length === 0) return `holds ${quote(value)}`;
  return `is ${quote(value)}`;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    data,
  );
}

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly items?: JsonSchemaNode;
  readonly additionalProperties?: JsonSchemaNode | boolean;
  readonly anyOf?: readonly JsonSchemaNode[];
}

/** Keys a schema knows at a path, as its JSON Schema lists them. */
function keysAt(path: Path, schema: JsonSchemaNode): string[] {
  let node: JsonSchemaNode | undefined = schema;
  for (const step of path) node = childSchema(node, step);
  return Object.keys(objectSchema(node)?.properties ?? {});
}

let knownJsonSchema: JsonSchemaNode | undefined;

/** Made where the first unknown key needs it. */
function jsonSchema(): JsonSchemaNode {
  knownJsonSchema ??= specJsonSchema() as JsonSchemaNode;
  return knownJsonSchema;
}

function childSchema(node: JsonSchemaNode | undefined, step: string | number): JsonSchemaNode | undefined {
  if (typeof step === 'number') return node?.items;
  const { properties, additionalProperties } = objectSchema(node) ?? {};
  return properties?.[step] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
}

/** The alternative that is an object, where a schema has alternatives. */
function objectSchema(node: JsonSchemaNode | undefined): JsonSchemaNode | undefined {
  return node?.anyOf?.find(({ properties }) => properties !== undefined) ?? node;
}
