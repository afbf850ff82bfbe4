import { type Document, LineCounter, parseDocument } from 'yaml';
import { type Problem, SpecError } from '../errors.ts';
import { CHECKS } from './checks.ts';
import { createPositions, type Positions } from './positions.ts';
import { resolveSpec } from './resolve.ts';
import { parseWritten } from './schema-problems.ts';
import { createTraceReader } from './traces.ts';
import type { EngineName, HostFacts, ParsedSpec } from './types.ts';

/**
 * The experiment a YAML text describes, checked against itself and against the machine that would run it.
 *
 * Reads no files but those the spec names, through `host`, and no clock.
 * @param file - the file as the user named it; used in messages and kept as `spec.file`
 * @param overrides - settings of the command line that stand in for those of the file before anything is checked
 * @throws SpecError with every problem that was found, each with its line and column
 */
export function parseSpec(
  text: string,
  file: string,
  host: HostFacts,
  overrides: { readonly engine?: EngineName } = {},
): ParsedSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const positions = createPositions(file, document, lines);
  const { written, data, problems, isRefused } = parseWritten(readData(text, document, positions), positions);
  const readTrace = createTraceReader(file, host);
  const resolved = resolveSpec(written, data, file, readTrace);
  const spec = { ...resolved, server: { ...resolved.server, ...overrides } };
  const input = { spec, written, host, positions, isRefused, readTrace };
  const found = [...problems, ...CHECKS.flatMap((check) => check(input))];
  if (found.length > 0) throw new SpecError(inReadingOrder(found));
  return { spec: deepFreeze(spec), locate: positions.ofValue };
}

function readData(text: string, document: Document, positions: Positions): unknown {
  if (text.trim() === '') {
    throw new SpecError({
      where: positions.ofOffset(0),
      what: 'the file is empty',
      hint: 'Describe an experiment in it, or start from a copy of configs/quickstart.yaml.',
    });
  }
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    throw new SpecError(
      broken.map(({ message, pos }) => ({
        where: positions.ofOffset(pos[0]),
        what: `this is not valid YAML: ${message}`,
        hint: 'Correct the YAML here; later lines may be misread until then.',
      })),
      broken[0],
    );
  }
  try {
    return document.toJS();
  } catch (error) {
    throw new SpecError(
      {
        where: positions.ofOffset(0),
        what: `this YAML cannot be read: ${(error as Error).message}`,
        hint: 'Write the repeated parts out instead of using aliases.',
      },
      error,
    );
  }
}

function inReadingOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => lineAndColumn(a) - lineAndColumn(b));
}

function lineAndColumn({ where = '' }: Problem): number {
  const [, line = '0', column = '0'] = /:(\d+):(\d+)$/.exec(where) ?? [];
  return Number(line) * 1e6 + Number(column);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
  return value;
}
