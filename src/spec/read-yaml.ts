import { type Document, LineCounter, parseDocument } from 'yaml';
import { SpecError } from '../errors.ts';
import { createPositions, type Positions } from './positions.ts';

/** A YAML text as plain data, and where its parts stand. */
export interface YamlData {
  readonly data: unknown;
  readonly positions: Positions;
}

/**
 * Reads a YAML text.
 *
 * @param hintIfEmpty - what to write into an empty file
 * @throws SpecError where it is empty or no valid YAML
 */
export function readYaml(text: string, file: string, hintIfEmpty: string): YamlData {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const positions = createPositions(file, document, lines);
  return { data: readData(text, document, positions, hintIfEmpty), positions };
}

function readData(text: string, document: Document, positions: Positions, hintIfEmpty: string): unknown {
  if (text.trim() === '') {
    throw new SpecError({ where: positions.ofOffset(0), what: 'the file is empty', hint: hintIfEmpty });
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
