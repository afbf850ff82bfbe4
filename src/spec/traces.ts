import { dirname, isAbsolute, join } from 'node:path';
import type { HostFacts } from './types.ts';
import { quote } from './wording.ts';

/** Rates of a trace, or what is wrong with its file: a sentence about the trace, and what to do. */
export type Trace =
  | { readonly rates: readonly number[] }
  | { readonly rates?: undefined; readonly what: string; readonly hint: string };

/** The trace in a file that the spec names; the same answer each time, so that what was checked is what is used. */
export type TraceReader = (file: string) => Trace;

const FORMAT =
  'Give one number per line, the rate of one second: 0 or more, in any unit. Lines that start with # are skipped.';

/** Reads traces from where the spec's own file lies. */
export function createTraceReader(specFile: string, host: HostFacts): TraceReader {
  const known = new Map<string, Trace>();
  return (file) => {
    const path = isAbsolute(file) ? file : join(dirname(specFile), file);
    const trace = known.get(path) ?? readTrace(path, host);
    known.set(path, trace);
    return trace;
  };
}

function readTrace(path: string, host: HostFacts): Trace {
  const text = host.readText(path);
  if (text !== undefined) return parseTrace(text);
  return {
    what: `cannot be read from ${path}`,
    hint: "Give the path of a text file that exists here, from the spec's folder.",
  };
}

/**
 * Rates in the text of a trace: one number a line, for one second each.
 *
 * An empty line within would shift all that follows by a second if it were skipped, so only those at the end are.
 */
export function parseTrace(text: string): Trace {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line, at) => ({ text: line.trim(), number: at + 1 }))
    .filter((line) => !line.text.startsWith('#'));
  if (lines.every((line) => line.text === '')) return { what: 'is empty', hint: FORMAT };
  const bad = lines.filter((line) => !isRate(line.text));
  const [first] = bad;
  if (first !== undefined) {
    const more = bad.length === 1 ? '' : `, and ${bad.length - 1} more such ${bad.length === 2 ? 'line' : 'lines'}`;
    return { what: `has no rate in line ${first.number} (${quote(first.text)})${more}`, hint: FORMAT };
  }
  const rates = lines.map((line) => Number(line.text));
  if (rates.every((rate) => rate === 0)) {
    return { what: 'is 0 in every second, and cannot be scaled to a rate', hint: FORMAT };
  }
  return { rates };
}

/** A decimal number, 0 or more and not beyond what a double holds. */
function isRate(text: string): boolean {
  return /^\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));
}
