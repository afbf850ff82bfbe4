import { closestMatch } from 'leven';
import type { Scalar } from './types.ts';

const LONGEST_QUOTE = 80;

/** A received value as it is quoted in a message: short, and on one line. */
export function quote(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? 'nothing');
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
}

/** The known name that was probably meant, if one is close. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const maxDistance = Math.max(2, Math.floor(name.length / 3));
  return closestMatch(name, known, { maxDistance });
}

/** "Did you mean ...?" where a name is close, else the names there are. */
export function suggestName(name: string, known: readonly string[], kind: string): string {
  const meant = nearest(name, known);
  if (meant !== undefined) return `Did you mean "${meant}"?`;
  return known.length === 0 ? `There are no ${kind} here.` : `Known ${kind}: ${known.join(', ')}.`;
}

/** Levels as a list in the notation of the spec. */
export function levelList(levels: readonly Scalar[]): string {
  return `[${levels.join(', ')}]`;
}
