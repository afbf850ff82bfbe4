import type { ResponseEffects } from './effects.ts';
import type { Interval, LevelMean } from './level-means.ts';
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

type Row = ResultTable['rows'] extends Iterable<infer T> ? T : never;

function* rowsOf({ response, scale, context, n, outcome }: ResponseEffects, confidence: number): Generator<Row> {
  const start = [response, scale, context];
  const blank = (count: number) => new Array<undefined>(count).fill(undefined);
  if ('reason' in outcome) {
    yield [...start, undefined, undefined, n, ...blank(21), outcome.reason];
    return;
  }
  const { tests, excluded, residualDf, residualSumSq, means, exchanged } = outcome;
  for (const { term, sumSq, f, p, permutationP, adjustedP, size, rank } of tests) {
    yield [
      ...start,
      term.name,
      term.kind,
      n,
      term.df,
      residualDf,
      sumSq,
      sumSq / term.df,
      f,
      p,
      permutationP,
      permutationP === undefined || 'reason' in exchanged ? undefined : exchanged.times,
      adjustedP,
      adjustedP === undefined ? undefined : 'holm',
      size.value,
      size.lo,
      size.hi,
      confidence,
      rank,
      ...changeOf(term.kind === 'main' ? term.name : undefined, means, scale),
      'III',
      term.aliasedWith.join(' ') || undefined,
      'reason' in exchanged && term.kind !== 'block' ? exchanged.reason : undefined,
    ];
  }
  yield [
    ...start,
    'residual',
    'error',
    n,
    residualDf,
    undefined,
    residualSumSq,
    residualSumSq / residualDf,
    ...blank(18),
  ];
  for (const { name, kind, df, reason } of excluded) {
    yield [...start, name, kind, n, df, ...blank(20), reason];
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
          const cells = ({ value, lo, hi }: Interval) => [back(value), back(lo), back(hi)];
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
