import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { Problem } from '../errors.ts';

export type Path = readonly (string | number)[];

/** Finds where in the text the parts of a YAML document stand. All answers are `file:line:column`, counted from 1. */
export interface Positions {
  /** The value at the path, or the nearest value around it that is written. */
  ofValue(path: Path): string;
  /** The key that ends the path; where it is not written, the same as `ofValue`. */
  ofKey(path: Path): string;
  ofOffset(offset: number): string;
}

export function createPositions(file: string, document: Document, lines: LineCounter): Positions {
  const ofOffset = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const ofNode = (node: Node | undefined) => ofOffset(node?.range?.[0] ?? 0);

  const ofValue = (path: Path): string => ofNode(nearestValue(document, path));
  return {
    ofOffset,
    ofValue,
    ofKey: (path) => {
      const parent = nearestValue(document, path.slice(0, -1), true);
      const key = isMap(parent) ? findPair(parent, path.at(-1))?.key : undefined;
      return isNode(key) ? ofNode(key) : ofValue(path);
    },
  };
}

/** Follows the path as far as the document has it. With `isStrict`, undefined where it does not have all of it. */
function nearestValue(document: Document, path: Path, isStrict = false): Node | undefined {
  let current: Node | undefined = document.contents ?? undefined;
  for (const step of path) {
    const next = child(isAlias(current) ? current.resolve(document) : current, step);
    if (next === undefined) return isStrict ? undefined : current;
    current = next;
  }
  return isStrict && isAlias(current) ? current.resolve(document) : current;
}

function child(node: Node | undefined, step: string | number): Node | undefined {
  if (isSeq(node)) return asNode(node.items[Number(step)]);
  if (!isMap(node)) return undefined;
  const pair = findPair(node, step);
  // A key without a value ("batch:") has an empty value at some later place; its key is what a reader recognises.
  return isScalar(pair?.value) && pair.value.value === null ? asNode(pair.key) : asNode(pair?.value ?? pair?.key);
}

function findPair(
  map: { readonly items: readonly { key: unknown; value: unknown }[] },
  step: string | number | undefined,
) {
  return map.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
}

function asNode(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined;
}

/** Problems by line and column. */
export function inReadingOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => lineAndColumn(a) - lineAndColumn(b));
}

function lineAndColumn({ where = '' }: Problem): number {
  const [, line = '0', column = '0'] = /:(\d+):(\d+)$/.exec(where) ?? [];
  return Number(line) * 1e6 + Number(column);
}
