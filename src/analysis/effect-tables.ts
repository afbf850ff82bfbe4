import type { ResponseEffects, Stratum } from './effects.ts';
import type { Interval, LevelMean } from './level-means.ts';
import { orEmpty } from './table-cells.ts';
import type { Analysis, ResultTable } from './types.ts';

/** `effects.csv`: the analysis of variance of every response, a row per term, one for the error and one for what is left out. */
export function tabulateEffects({ effects, options }: Analysis): ResultTable {
  return {
    columns: [
      'response',
      'scale',
      'context',
      'term',
      'kind',
      'n',
      'df',
      'df_error',
      'stratum',
      'sum_sq',
      'mean_sq',
      'f',
      'p',
      'p_permutation',
      'permutations',
      'p_adjusted',
      'p_adjustment',
      'partial_eta_sq',
      'partial_eta_sq_lo',
      'partial_eta_sq_hi',
      'confidence',
      'rank',
      'lowest_level',
      'highest_level',
      'change',
      'change_unit',
      'sum_sq_type',
      'aliased_with',
      'empty_because',
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const one of effects) yield* rowsOf(one, options.confidence);
      },
    },
  };
}

/** Of a term whose error has no degrees of freedom. */
const UNTOLD = 'nothing tells how launches of one configuration differ: add replicates';

/** Where a stratum has one distinct order only. */
const NOTHING_EXCHANGED: Readonly<Record<Stratum, string>> = {
  trials: 'p_permutation: no two trials of a block have different levels, so none could have changed places',
  'between launches':
    'p_permutation: no two launches of a block have different levels, so none could have changed places',
  'within launches':
    'p_permutation: no two trials of a launch have different levels, so none could have changed places',
};

/** Empty where trials share no launch. */
function nameStratum(stratum: Stratum): Stratum | undefined {
  return stratum === 'trials' ? undefined : stratum;
}

type Row = ResultTable['rows'] extends Iterable<infer T> ? T : never;

function* rowsOf({ response, scale, context, n, outcome }: ResponseEffects, confidence: number): Generator<Row> {
  const start = [response, scale, context];
  const blank = (count: number) => new Array<undefined>(count).fill(undefined);
  if ('reason' in outcome) {
    yield [...start, undefined, undefined, n, ...blank(22), outcome.reason];
    return;
  }
  const { tests, excluded, errors, means, whyNotExchanged } = outcome;
  for (const { term, stratum, errorDf, sumSq, f, p, permutation, adjustedP, size, rank } of tests) {
    const isExchanged = permutation !== undefined || term.kind === 'block';
    yield [
      ...start,
      term.name,
      term.kind,
      n,
      term.df,
      errorDf,
      nameStratum(stratum),
      orEmpty(sumSq),
      orEmpty(sumSq / term.df),
      orEmpty(f),
      orEmpty(p),
      permutation?.p,
      permutation?.times,
      adjustedP,
      adjustedP === undefined ? undefined : 'holm',
      orEmpty(size.value),
      orEmpty(size.lo),
      orEmpty(size.hi),
      confidence,
      rank,
      ...changeOf(term.kind === 'main' ? term.name : undefined, means, scale),
      'III',
      term.aliasedWith.join(' ') || undefined,
      Number.isNaN(f) ? UNTOLD : isExchanged ? undefined : (whyNotExchanged ?? NOTHING_EXCHANGED[stratum]),
    ];
  }
  for (const { stratum, df, sumSq } of errors) {
    const meanSq = df < 1 ? undefined : sumSq / df;
    yield [...start, 'residual', 'error', n, df, undefined, nameStratum(stratum), sumSq, meanSq, ...blank(18)];
  }
  for (const { name, kind, df, reason } of excluded) {
    yield [...start, name, kind, n, df, ...blank(21), reason];
  }
}

/** Lowest and highest level of a main effect, and how far apart they are. */
function changeOf(factor: string | undefined, means: readonly LevelMean[], scale: ResponseEffects['scale']): Row {
  const levels = means.filter((mean) => mean.factor === factor && mean.given === undefined);
  const [first] = levels;
  if (first === undefined) return [undefined, undefined, undefined, undefined];
  const lowest = levels.reduce((least, one) => (one.mean.value < least.mean.value ? one : least), first);
  const highest = levels.reduce((most, one) => (one.mean.value > most.mean.value ? one : most), first);
  const change = highest.mean.value - lowest.mean.value;
  const value = scale === 'log' ? Math.exp(change) : change;
  return [lowest.level, highest.level, value, scale === 'log' ? 'ratio' : 'difference'];
}

/** `simple-effects.csv`: means and effects by level, and by level at each level of another factor. */
export function tabulateSimpleEffects({ effects, options }: Analysis): ResultTable {
  return {
    columns: [
      'response',
      'scale',
      'context',
      'factor',
      'level',
      'given_factor',
      'given_level',
      'n',
      'mean',
      'mean_lo',
      'mean_hi',
      'effect',
      'effect_lo',
      'effect_hi',
      'effect_unit',
      'confidence',
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const { response, scale, context, outcome } of effects) {
          if ('reason' in outcome) continue;
          const back = (value: number) => (scale === 'log' ? Math.exp(value) : value);
          const cells = ({ value, lo, hi }: Interval) => [value, lo, hi].map((end) => orEmpty(back(end)));
          for (const { factor, level, given, n, mean, effect } of outcome.means) {
            yield [
              ...[response, scale, context, factor, level, given?.factor, given?.level, n],
              ...cells(mean),
              ...cells(effect),
              scale === 'log' ? 'ratio' : 'difference',
              options.confidence,
            ];
          }
        }
      },
    },
  };
}
