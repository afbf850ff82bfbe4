import { dirname, isAbsolute, join } from 'node:path';
import { type Problem, SpecError } from '../errors.ts';
import { FACTOR_NAMES, FACTORS, findFactor, isAppliedByServer } from './factors.ts';
import type { Path, Positions } from './positions.ts';
import { readYaml } from './read-yaml.ts';
import { describeRefusals } from './schema-problems.ts';
import { serverFileSchema, serverJsonSchema, type WrittenServer } from './server-schema.ts';
import type { HostFacts, LayoutFile, ServerDescription } from './types.ts';
import { quote, suggestName } from './wording.ts';

/** `{name}` in a command, a variable, a path or a text. Braces with anything else inside, as JSON and protobuf text have them, are left alone. */
export const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/g;

const EMPTY = 'Describe a server in it, or start from a copy of configs/servers/triton.yaml.';

/** The server that an experiment names, or what is wrong with its file. */
interface ServerFile {
  readonly description?: ServerDescription;
  readonly problems: readonly Problem[];
}

/**
 * Reads the description of a server from where the experiment's own file lies.
 *
 * @param path - as the experiment names it; undefined where it names none
 * @param positions - of the experiment's file, for a description that cannot be read
 */
export function readServerFile(
  path: string | undefined,
  specFile: string,
  host: HostFacts,
  positions: Positions,
): ServerFile {
  if (path === undefined) return { problems: [] };
  const file = isAbsolute(path) ? path : join(dirname(specFile), path);
  const text = host.readText(file);
  if (text !== undefined) return parseServerFile(text, file);
  return {
    problems: [
      {
        where: positions.ofValue(['server', 'description']),
        what: `the description of the server cannot be read from ${file}`,
        hint: "Give the path of a YAML file that exists here, from the experiment's folder, e.g. servers/triton.yaml.",
      },
    ],
  };
}

/** The description in a YAML text, checked against itself. */
export function parseServerFile(text: string, file: string): ServerFile {
  try {
    const { data, positions } = readYaml(text, file, EMPTY);
    const result = serverFileSchema.safeParse(data);
    if (!result.success) return { problems: describeRefusals(result.error, data, positions, serverJsonSchema()) };
    const problems = checkServer(result.data, positions);
    return problems.length > 0 ? { problems } : { problems, description: toDescription(result.data) };
  } catch (error) {
    if (error instanceof SpecError) return { problems: error.problems };
    throw error;
  }
}

function toDescription({ user, models, ready, ...rest }: WrittenServer): ServerDescription {
  const factors = Object.entries(rest.factors).map(([name, { values }]) => [
    name,
    values === undefined ? {} : { values },
  ]);
  return {
    ...rest,
    factors: Object.fromEntries(factors),
    modelsAt: models.at,
    files: models.files as LayoutFile[],
    ready: { path: ready.path, ...(ready.contains === undefined ? {} : { contains: ready.contains }) },
    ...(user === undefined ? {} : { user }),
  };
}

function checkServer(server: WrittenServer, positions: Positions): Problem[] {
  return [
    ...checkPorts(server, positions),
    ...checkFiles(server, positions),
    ...checkProtocols(server, positions),
    ...checkDeclaredFactors(server, positions),
    ...checkPlaceholders(server, positions),
  ];
}

function checkPorts({ ports }: WrittenServer, positions: Positions): Problem[] {
  if ('http' in ports) return [];
  const where = positions.ofValue(['ports']);
  return [{ where, what: 'no port is named "http"', hint: 'Name the port that requests go to, e.g. { http: 8000 }.' }];
}

function checkFiles({ models }: WrittenServer, positions: Positions): Problem[] {
  const wrong = models.files.flatMap(({ from, text }, at) =>
    (from === undefined) === (text === undefined)
      ? [
          {
            where: positions.ofValue(['models', 'files', at]),
            what: `"models.files[${at}]" has ${from === undefined ? 'neither "from" nor "text"' : 'both "from" and "text"'}`,
            hint: 'Give one of them: `from: onnx` for the model itself, or the text of a settings file.',
          },
        ]
      : [],
  );
  if (models.files.some(({ from }) => from !== undefined)) return wrong;
  const where = positions.ofValue(['models', 'files']);
  const hint = 'Add one, e.g. { path: "{model}/1/model.onnx", from: onnx }.';
  return [...wrong, { where, what: 'no file is the model itself', hint }];
}

function checkProtocols({ protocols, api }: WrittenServer, positions: Positions): Problem[] {
  const { value, examples } = FACTORS.protocol;
  return protocols.flatMap((protocol, at) => {
    const where = positions.ofValue(['protocols', at]);
    if (!value.safeParse(protocol).success) {
      return [
        { where, what: `unknown protocol ${quote(protocol)}`, hint: suggestName(protocol, examples, 'protocols') },
      ];
    }
    if (protocol === 'grpc') {
      return [{ where, what: 'dse drives other servers over REST only', hint: 'Leave grpc out.' }];
    }
    if (protocol === 'image') {
      return [{ where, what: "images are an extension of dse's own server", hint: 'Leave image out.' }];
    }
    if (api === 'kserve-v2' || protocol === 'rest-json') return [];
    return [{ where, what: `the interface ${api} has no ${protocol}`, hint: 'Leave it out: it carries JSON only.' }];
  });
}

function checkDeclaredFactors({ factors }: WrittenServer, positions: Positions): Problem[] {
  const known = FACTOR_NAMES.filter(isDeclarable);
  return Object.entries(factors).flatMap(([factor, { values }]) => {
    const definition = findFactor(factor);
    const where = positions.ofKey(['factors', factor]);
    if (definition === undefined || !isDeclarable(factor)) {
      const what =
        definition === undefined ? `unknown factor "${factor}"` : `factor "${factor}" is not applied by a server`;
      const hint =
        definition === undefined
          ? suggestName(factor, known, 'factors')
          : 'Leave it out: it is there for every server.';
      return [{ where, what, hint }];
    }
    return Object.keys(values ?? {})
      .filter((level) => !isLevel(definition.value, level))
      .map((level) => ({
        where: positions.ofKey(['factors', factor, 'values', level]),
        what: `"${level}" is no level of factor "${factor}"`,
        hint: `Write levels as an experiment does, e.g. ${definition.examples.join(', ')}.`,
      }));
  });
}

function isDeclarable(factor: string): boolean {
  const definition = findFactor(factor);
  return definition !== undefined && isAppliedByServer(definition);
}

/** Keys of a YAML map are text, whatever the level is. */
function isLevel(schema: { safeParse(value: unknown): { success: boolean } }, key: string): boolean {
  const asScalar = key === 'true' ? true : key === 'false' ? false : key;
  return [key, asScalar, Number(key)].some((value) => schema.safeParse(value).success);
}

function checkPlaceholders(server: WrittenServer, positions: Positions): Problem[] {
  const declared = Object.keys(server.factors);
  const known = ['model', 'host', ...Object.keys(server.ports).map((name) => `${name}_port`), ...declared];
  const used = placesOf(server).flatMap(({ path, text }) =>
    [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => ({ path, name })),
  );
  const unknown = used
    .filter(({ name }) => !known.includes(name))
    .map(({ path, name }) => ({
      where: positions.ofValue(path),
      what: `the placeholder "{${name}}" stands for nothing`,
      hint: suggestName(name, known, 'placeholders'),
    }));
  const unused = declared
    .filter((factor) => isDeclarable(factor) && !used.some(({ name }) => name === factor))
    .map((factor) => ({
      where: positions.ofKey(['factors', factor]),
      what: `factor "${factor}" is declared, but "{${factor}}" stands nowhere, so that it would change nothing`,
      hint: 'Put the placeholder into the command, a variable or a text, or remove the factor.',
    }));
  return [...unknown, ...unused];
}

/** Every text that may hold placeholders, and where it stands. */
function placesOf({ command, env, models, ready }: WrittenServer): { readonly path: Path; readonly text: string }[] {
  return [
    ...command.map((text, at) => ({ path: ['command', at], text })),
    ...Object.entries(env).map(([name, text]) => ({ path: ['env', name], text })),
    ...models.files.flatMap(({ path, text }, at) => [
      { path: ['models', 'files', at, 'path'], text: path },
      ...(text === undefined ? [] : [{ path: ['models', 'files', at, 'text'], text }]),
    ]),
    { path: ['ready', 'path'], text: ready.path },
  ];
}
