import { findInterference, type Interference } from './interference.ts';
import { levelsOf, orEmpty } from './table-cells.ts';
import type { Analysis, ResultTable } from './types.ts';

/** `interference.csv`: what every neighbour does to every response, a row per configuration with neighbours and response. Empty where nothing is compared. */
export function tabulateInterference(analysis: Analysis): ResultTable {
  const { configurations, options } = analysis;
  const others = configurations.factors.filter((factor) => factor !== 'colocated');
  const at = configurations.factors.indexOf('colocated');
  return {
    columns: [
      'neighbour',
      ...others,
      'response',
      'n_alone',
      'n_beside',
      'mean_alone',
      'mean_beside',
      'ratio',
      'ratio_lo',
      'ratio_hi',
      'slowdown',
      'slowdown_lo',
      'slowdown_hi',
      'confidence',
      'method',
      'empty_because',
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const one of findInterference(analysis)) {
          const levels = levelsOf(configurations, one.configuration);
          const rest = levels.filter((_, factor) => factor !== at);
          yield [levels[at], ...rest, ...cellsOf(one, options.confidence)];
        }
      },
    },
  };
}

function cellsOf({ response, n, mean, outcome }: Interference, confidence: number) {
  const start = [response, n.alone, n.beside, orEmpty(mean.alone), orEmpty(mean.beside)];
  if ('reason' in outcome)
    return [...start, ...new Array<undefined>(6).fill(undefined), confidence, undefined, outcome.reason];
  const { ratio, interval, slowdown, method } = outcome;
  const ends = (of: typeof interval | undefined) =>
    of === undefined || 'reason' in of ? [undefined, undefined] : [of.lo, of.hi];
  const missing = [interval, slowdown?.interval].find((one) => one !== undefined && 'reason' in one);
  return [
    ...start,
    ratio,
    ...ends(interval),
    slowdown?.ratio,
    ...ends(slowdown?.interval),
    confidence,
    method,
    missing !== undefined && 'reason' in missing ? missing.reason : undefined,
  ];
}
