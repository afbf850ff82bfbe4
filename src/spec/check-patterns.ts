import type { Problem } from '../errors.ts';
import { levelsWithDefinition, type PlacedLoad } from './check-loads.ts';
import type { CheckInput } from './checks.ts';
import { lengthOfPatternS, type WrittenPattern } from './patterns.ts';
import type { RatePattern } from './types.ts';
import { quote } from './wording.ts';

/** Every trace can be read, and every pattern fits into the windows: a trial that ends before its pattern would be the measurement of something else under its name. */
export function checkPatterns(input: CheckInput): Problem[] {
  return everyLoad(input.written).flatMap(({ name, load, path }) => {
    if (load.kind === 'concurrency' || load.pattern === undefined) return [];
    const { pattern } = load;
    const where = input.positions.ofValue([...path, 'pattern']);
    if (pattern.kind !== 'trace') return checkFits(input, name, pattern, where);
    const trace = input.readTrace(pattern.file);
    if (trace.rates !== undefined) return checkFits(input, name, { kind: 'trace', rates: trace.rates }, where);
    return [
      {
        where: input.positions.ofValue([...path, 'pattern', 'trace']),
        what: `trace ${quote(pattern.file)} ${trace.what}`,
        hint: trace.hint,
      },
    ];
  });
}

function everyLoad(written: CheckInput['written']): PlacedLoad[] {
  const definitions = Object.entries(written.loads).map(([name, load]) => ({ name, load, path: ['loads', name] }));
  return [...definitions, ...levelsWithDefinition(written)];
}

const WORDS: Readonly<Record<WrittenPattern['kind'], string>> = {
  'linear-ramp': 'ramp',
  'exponential-ramp': 'ramp',
  step: 'step',
  sine: 'wave',
  trace: 'trace',
};

function checkFits({ spec, isRefused }: CheckInput, name: string, pattern: RatePattern, where: string): Problem[] {
  if (isRefused('measure', 'window') || isRefused('measure', 'windows')) return [];
  const { windowS, windows } = spec.measure;
  const measuredS = windowS * windows;
  const needsS = lengthOfPatternS(pattern);
  if (needsS <= measuredS) return [];
  return [
    {
      where,
      what: `the ${WORDS[pattern.kind]} of load ${quote(name)} takes ${needsS} s, and a trial measures ${windows} x ${windowS} s = ${measuredS} s`,
      hint: `Raise "measure.windows" to ${Math.ceil(needsS / windowS)} (and "measure.max" to match), or make the pattern shorter.`,
    },
  ];
}
