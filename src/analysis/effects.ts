import { createRng, deriveSeed, type Rng } from '../rng.ts';
import { adjustHolm } from './adjust-p.ts';
import { fUpperP } from './distributions.ts';
import { type EffectSize, partialEtaSquared } from './effect-size.ts';
import { type CodedFactor, keepOccurring } from './effect-terms.ts';
import { type ErrorTerm, type FactorFit, fitFactorModel } from './factor-fit.ts';
import { buildFactorModel, type ExcludedTerm, type FactorModel, type ModelTerm } from './factor-model.ts';
import { type LevelMean, levelMeans } from './level-means.ts';
import { describe } from './moments.ts';
import {
  type PermutationTest,
  permutationP,
  sayWhyNotExchanged,
  shareExchanges,
  TOO_MANY_FITS,
  workOfExchange,
} from './permutation.ts';
import { chooseScale, type ResponseScale } from './response-scale.ts';
import { permutationPInStrata } from './split-permutation.ts';
import { fitSplitPlot, prepareSplitPlot, type SplitPlot } from './split-plot.ts';
import type { Configurations } from './types.ts';

/** What a response is analysed against. */
export interface EffectsInput {
  readonly configurations: Configurations;
  /** By response: one value per row of the table, NaN where empty. */
  readonly rowValues: ReadonlyMap<string, Float64Array>;
  /** Per row of the table. */
  readonly blocks: { readonly levels: readonly string[]; readonly codes: Int32Array } | undefined;
  /** Per row of the table the launch it was measured on; undefined where none is told. */
  readonly launches: Int32Array | undefined;
  readonly contexts: readonly string[];
  readonly confidence: number;
}

/** The error that a term is tested against: among trials, or where these share launches, between launches or within them. */
export type Stratum = 'trials' | 'between launches' | 'within launches';

/** The F test of one term; NaN where its error has no degrees of freedom. */
export interface TermTest {
  readonly term: ModelTerm;
  readonly stratum: Stratum;
  readonly errorDf: number;
  readonly sumSq: number;
  readonly f: number;
  readonly p: number;
  /** Absent for the block, where residuals were not exchanged, and where nothing could have changed places. */
  readonly permutation: PermutationTest | undefined;
  /** Absent for the block, which is no finding. */
  readonly adjustedP: number | undefined;
  readonly size: EffectSize;
  /** 1 for the largest partial eta squared; absent for the block. */
  readonly rank: number | undefined;
}

/** What every factor does to one response, over all rows or within one value of a context. */
export interface ResponseEffects {
  readonly response: string;
  readonly scale: ResponseScale;
  /** `all`, or `context=value`. */
  readonly context: string;
  /** Rows with a value. */
  readonly n: number;
  readonly outcome:
    | {
        readonly tests: readonly TermTest[];
        readonly excluded: readonly ExcludedTerm[];
        /** What is left for error in each stratum. */
        readonly errors: readonly (ErrorTerm & { readonly stratum: Stratum })[];
        readonly means: readonly LevelMean[];
        /** Why residuals were exchanged for no term; undefined where they were. */
        readonly whyNotExchanged: string | undefined;
      }
    | { readonly reason: string };
}

const SEED = 1;

/**
 * Main effects and interactions of two factors on every response, over all rows and within each value of each context.
 *
 * Analysis of variance by least squares with blocks, type III sums of squares (each term beside all others). What is left for error is the spread between replicates together with
 * interactions of three and more factors. Rows are independent given block and terms, unless they share a launch: then it is a split-plot design with launches as whole plots.
 * Sources: Montgomery (2019), "Design and Analysis of Experiments", 10th ed., ch. 4, 5, 14.5 and 15.2; the functions called name their own.
 */
export function findEffects(input: EffectsInput): ResponseEffects[] {
  const { rows } = input.configurations;
  const configurationAt = spreadConfigurations(input.configurations);
  const fitted = listContexts(input, configurationAt).flatMap(({ name, factor, places }) => {
    const modelOf = rememberModels(input, configurationAt, factor);
    return [...input.rowValues].map(([response, values]): FittedResponse => {
      const { present, observed } = keepPresent(places, rows, values);
      const scale = chooseScale(response, observed);
      const y = scale === 'log' ? observed.map(Math.log) : observed;
      const analyzed = analyzeResponse(modelOf, present, y, input.confidence);
      return { response, scale, context: name, n: present.length, ...analyzed };
    });
  });
  return exchangeResiduals(fitted);
}

/** Effects before residuals were exchanged, and what that takes where it is to be done. */
interface FittedResponse extends ResponseEffects {
  readonly toExchange?: { readonly prepared: PreparedModel; readonly fit: FactorFit; readonly y: Float64Array };
}

interface PreparedModel {
  readonly model: FactorModel;
  /** A reason where the launches are too many. */
  readonly plot: SplitPlot | string | undefined;
}

/** Adds the permutation tests: as many exchanges for every response as all of them together have time for. */
function exchangeResiduals(fitted: readonly FittedResponse[]): ResponseEffects[] {
  const times = shareExchanges(
    fitted.flatMap(({ toExchange }) => (toExchange === undefined ? [] : [workOfExchange(toExchange.prepared.model)])),
  );
  return fitted.map(({ toExchange, ...effects }) => {
    const { outcome } = effects;
    if (toExchange === undefined || 'reason' in outcome) return effects;
    if (times === 0) return { ...effects, outcome: { ...outcome, whyNotExchanged: TOO_MANY_FITS } };
    const rng = createRng(deriveSeed(SEED, 'effects', `${effects.context} ${effects.response}`));
    const byTerm = exchange(toExchange, rng, times);
    // Exchanges within blocks say nothing about the blocks.
    const tests = outcome.tests.map((test, index) =>
      test.term.kind === 'block' || Number.isNaN(test.f) ? test : { ...test, permutation: byTerm[index] },
    );
    return { ...effects, outcome: { ...outcome, tests } };
  });
}

function exchange({ prepared, fit, y }: NonNullable<FittedResponse['toExchange']>, rng: Rng, times: number) {
  const { model, plot } = prepared;
  return fit.strata === undefined || typeof plot !== 'object'
    ? permutationP(model, fit, y, rng, times)
    : permutationPInStrata(model, plot, fit, fit.strata, y, rng, times);
}

interface ContextRows {
  readonly name: string;
  /** Index of the factor that is the context; -1 for all rows. */
  readonly factor: number;
  /** Places in `configurations.rows`. */
  readonly places: Int32Array;
}

function listContexts({ configurations, contexts }: EffectsInput, configurationAt: Int32Array): ContextRows[] {
  const { factors, levels, codes } = configurations;
  const places = configurationAt.map((_, place) => place);
  const byValue = contexts.flatMap((context) => {
    const factor = factors.indexOf(context);
    const ofContext = codes[factor] as Int32Array;
    return (levels[factor] as readonly string[]).map((level, code) => ({
      name: `${context}=${level}`,
      factor,
      places: places.filter((place) => ofContext[configurationAt[place] as number] === code),
    }));
  });
  return [{ name: 'all', factor: -1, places }, ...byValue.filter((context) => context.places.length > 0)];
}

/** Per place in `rows`, its configuration. */
function spreadConfigurations({ count, offsets, rows }: Configurations): Int32Array {
  const configurationAt = new Int32Array(rows.length);
  for (let index = 0; index < count; index++) configurationAt.fill(index, offsets[index], offsets[index + 1]);
  return configurationAt;
}

/** Places whose row has a value, and the values; a plain loop, because a table may have millions. */
function keepPresent(places: Int32Array, rows: Int32Array, values: Float64Array) {
  const present = new Int32Array(places.length);
  const observed = new Float64Array(places.length);
  let count = 0;
  for (const place of places) {
    const value = values[rows[place] as number] as number;
    if (Number.isNaN(value)) continue;
    present[count] = place;
    observed[count++] = value;
  }
  return { present: present.subarray(0, count), observed: observed.subarray(0, count) };
}

/** Responses that were measured in the same rows share their model. */
function rememberModels(
  { configurations, blocks, launches }: EffectsInput,
  configurationAt: Int32Array,
  without: number,
) {
  let known: ({ readonly present: Int32Array } & PreparedModel) | undefined;
  return (present: Int32Array): PreparedModel => {
    const isSame = known?.present.length === present.length && known.present.every((one, at) => one === present[at]);
    if (known !== undefined && isSame) return known;
    const factors = configurations.factors.flatMap((name, index): CodedFactor[] => {
      if (index === without) return [];
      const ofFactor = configurations.codes[index] as Int32Array;
      const codes = new Int32Array(present.length);
      for (let at = 0; at < codes.length; at++) {
        codes[at] = ofFactor[configurationAt[present[at] as number] as number] as number;
      }
      return [keepOccurring(name, configurations.levels[index] as readonly string[], codes)];
    });
    if (blocks !== undefined) {
      const codes = present.map((place) => blocks.codes[configurations.rows[place] as number] as number);
      factors.push(keepOccurring('block', blocks.levels, codes));
    }
    const ofRows = launches && present.map((place) => launches[configurations.rows[place] as number] as number);
    const model = buildFactorModel(factors, blocks === undefined ? -1 : factors.length - 1, ofRows);
    known = { present, model, plot: prepareSplitPlot(model) };
    return known;
  };
}

function analyzeResponse(
  modelOf: (present: Int32Array) => PreparedModel,
  present: Int32Array,
  y: Float64Array,
  confidence: number,
): Pick<FittedResponse, 'outcome' | 'toExchange'> {
  const without = (reason: string) => ({ outcome: { reason } });
  if (present.length < 2) return without(`${present.length} rows have a value; effects need two`);
  if (y.every((value) => value === y[0])) return without('all values are equal');
  const prepared = modelOf(present);
  const { model, plot } = prepared;
  if (typeof plot === 'string') return without(plot);
  if (model.terms.every(({ kind }) => kind === 'block')) return without('no factor varies');
  const leftDf = plot === undefined ? present.length - model.size : plot.withinDf;
  if (leftDf < 1) {
    return without('no degrees of freedom are left for error; add replicates');
  }
  const plain = fitFactorModel(model, y);
  if (isRounding(plain.residualSumSq, y)) {
    return without('the response follows from the factors without error');
  }
  const fit = plot === undefined ? plain : fitSplitPlot(model, plot, plain, y);
  const whyNotExchanged = sayWhyNotExchanged(model);
  const outcome = {
    tests: testTerms(model, fit, confidence),
    excluded: model.excluded,
    errors: errorsOf(fit),
    means: levelMeans(model, fit, confidence),
    whyNotExchanged,
  };
  return whyNotExchanged === undefined ? { outcome, toExchange: { prepared, fit, y } } : { outcome };
}

type StratumError = ErrorTerm & { readonly stratum: Stratum };

function errorsOf({ strata, residualSumSq, residualDf }: FactorFit): StratumError[] {
  if (strata === undefined) return [{ stratum: 'trials', sumSq: residualSumSq, df: residualDf }];
  return [
    { stratum: 'between launches', ...strata.between },
    { stratum: 'within launches', ...strata.within },
  ];
}

/** Whether residuals are no more than what rounding leaves of a response that follows from the factors exactly. */
function isRounding(residualSumSq: number, y: Float64Array): boolean {
  const { mean } = describe(y);
  let largest = 0;
  let totalSumSq = 0;
  for (const value of y) {
    largest = Math.max(largest, Math.abs(value));
    totalSumSq += (value - mean) ** 2;
  }
  return residualSumSq <= y.length * (4 * Number.EPSILON * largest) ** 2 + 1e-24 * totalSumSq;
}

const NO_SIZE: EffectSize = { value: Number.NaN, lo: Number.NaN, hi: Number.NaN };

function testTerms(model: FactorModel, fit: FactorFit, confidence: number): TermTest[] {
  const errors = errorsOf(fit);
  const tests = model.terms.map((term, index) => {
    const sumSq = fit.sumsSq[index] as number;
    const error = errors[fit.strata?.isWithin[index] ? 1 : 0] as StratumError;
    const head = { term, stratum: error.stratum, errorDf: error.df, sumSq, permutation: undefined };
    if (error.df < 1) return { ...head, f: Number.NaN, p: Number.NaN, size: NO_SIZE };
    const f = sumSq / term.df / (error.sumSq / error.df);
    const p = fUpperP(f, term.df, error.df);
    return { ...head, f, p, size: partialEtaSquared(f, term.df, error.df, confidence) };
  });
  const findings = tests.filter(({ term, f }) => term.kind !== 'block' && !Number.isNaN(f));
  const adjusted = adjustHolm(findings.map(({ p }) => p));
  const ranked = findings.toSorted((a, b) => b.size.value - a.size.value);
  return tests.map((test) => {
    const at = findings.indexOf(test);
    return at < 0
      ? { ...test, adjustedP: undefined, rank: undefined }
      : { ...test, adjustedP: adjusted[at], rank: ranked.indexOf(test) + 1 };
  });
}
