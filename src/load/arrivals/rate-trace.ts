import { readFileSync } from 'node:fs';
import { LoadError, messageOf, type Problem } from '../../errors.ts';

/**
 * Rates of a trace file: one number per line, one line per second. Empty lines and lines that start with # are skipped.
 *
 * @returns the rates as written; a `trace` pattern scales them to its mean
 * @throws LoadError where the file cannot be read, with every line that is not a rate, or where no rate is above 0
 */
export function readRateTrace(file: string): number[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new LoadError({ where: file, what: `the trace cannot be read: ${messageOf(error)}`, hint: HINT }, error);
  }
  const rates: number[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const rate = Number(entry);
    if (rate >= 0 && Number.isFinite(rate)) rates.push(rate);
    else problems.push({ where: `${file}:${index + 1}`, what: `"${entry}" is not a rate`, hint: HINT });
  }
  if (problems.length === 0 && !rates.some((rate) => rate > 0)) {
    problems.push({ where: file, what: 'the trace has no rate above 0', hint: HINT });
  }
  if (problems.length > 0) throw new LoadError(problems);
  return rates;
}

const HINT = 'A trace has one number per line, 0 or more: the rate of each second, in any unit.';
