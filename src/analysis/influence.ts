import { correlationInterval, type Ends, shareInterval } from './coefficient-intervals.ts';
import { correlate } from './correlation.ts';
import type { ResponseEffects, TermTest } from './effects.ts';
import type { CorrelationOutcome } from './types.ts';

/** Whether main effects, or interactions, on a response are alike at two values of a context. */
export interface InfluenceAgreement {
  readonly response: string;
  readonly context: string;
  readonly a: string;
  readonly b: string;
  readonly kind: 'main' | 'interaction';
  /** Effects of levels (of pairs of levels) that both have. */
  readonly n: number;
  readonly correlation: CorrelationOutcome;
  readonly pearsonEnds: Ends;
  readonly spearmanEnds: Ends;
  /** Of the effects whose intervals leave out zero on both sides: how many, and how many of them point the same way. Main effects only. */
  readonly clear: number | undefined;
  readonly sameSign: number | undefined;
  readonly sameSignEnds: Ends;
  /** Terms that both have, and how many matter (adjusted p below 0.05) at a, at b, at both. */
  readonly terms: number;
  readonly significantA: number;
  readonly significantB: number;
  readonly significantBoth: number;
  /** Spearman's correlation between the partial eta squared of the terms: does what matters most stay what matters most. */
  readonly rankCorrelation: number | undefined;
}

const SIGNIFICANT = 0.05;

/** Compares the effects found within every two values of each context. */
export function compareInfluence(
  effects: readonly ResponseEffects[],
  contexts: readonly string[],
  confidence: number,
): InfluenceAgreement[] {
  return contexts.flatMap((context) => {
    const within = effects.filter((one) => one.context.startsWith(`${context}=`));
    const responses = [...new Set(within.map(({ response }) => response))];
    return responses.flatMap((response) => {
      const sides = within.filter((one) => one.response === response);
      return sides.flatMap((a, at) =>
        sides.slice(at + 1).flatMap((b) =>
          (['main', 'interaction'] as const).flatMap((kind) => {
            const agreement = compareSides(a, b, kind, confidence);
            const levelOf = ({ context: name }: ResponseEffects) => name.slice(context.length + 1);
            return agreement === undefined
              ? []
              : [{ response, context, a: levelOf(a), b: levelOf(b), kind, ...agreement }];
          }),
        ),
      );
    });
  });
}

interface LevelEffect extends Ends {
  readonly value: number;
}

function compareSides(a: ResponseEffects, b: ResponseEffects, kind: 'main' | 'interaction', confidence: number) {
  if ('reason' in a.outcome || 'reason' in b.outcome) return undefined;
  const [effectsA, effectsB] = [effectsOf(a, kind), effectsOf(b, kind)];
  const shared = [...effectsA].flatMap(([name, one]) => {
    const other = effectsB.get(name);
    return other === undefined ? [] : [[one, other] as const];
  });
  const isTested = ({ term, f }: TermTest) => term.kind === kind && !Number.isNaN(f);
  const testsA = new Map(a.outcome.tests.filter(isTested).map((one) => [one.term.name, one]));
  const tests = b.outcome.tests.filter(isTested).flatMap((other) => {
    const one = testsA.get(other.term.name);
    return one === undefined ? [] : [[one, other] as const];
  });
  if (shared.length === 0 || tests.length === 0) return undefined;
  const correlation = correlate(
    Float64Array.from(shared, ([one]) => one.value),
    Float64Array.from(shared, ([, other]) => other.value),
  );
  const isClear = ({ lo, hi }: Ends) => lo > 0 || hi < 0;
  const clear = shared.filter(([one, other]) => isClear(one) && isClear(other));
  const sameSign = clear.filter(([one, other]) => one.value > 0 === other.value > 0).length;
  const matters = ({ adjustedP }: { readonly adjustedP: number | undefined }) => (adjustedP ?? 1) < SIGNIFICANT;
  const ranks = correlate(
    Float64Array.from(tests, ([one]) => one.size.value),
    Float64Array.from(tests, ([, other]) => other.size.value),
  );
  const none = { lo: Number.NaN, hi: Number.NaN };
  const isMain = kind === 'main';
  return {
    n: shared.length,
    correlation,
    pearsonEnds:
      'reason' in correlation
        ? none
        : correlationInterval('pearson', correlation.pearson.value, shared.length, confidence),
    spearmanEnds:
      'reason' in correlation
        ? none
        : correlationInterval('spearman', correlation.spearman.value, shared.length, confidence),
    clear: isMain ? clear.length : undefined,
    sameSign: isMain ? sameSign : undefined,
    sameSignEnds: isMain ? shareInterval(sameSign, clear.length, confidence) : none,
    terms: tests.length,
    significantA: tests.filter(([one]) => matters(one)).length,
    significantB: tests.filter(([, other]) => matters(other)).length,
    significantBoth: tests.filter(([one, other]) => matters(one) && matters(other)).length,
    rankCorrelation: 'reason' in ranks ? undefined : ranks.spearman.value,
  };
}

/** Main effects by level; or interactions by pair of levels: what is left of a simple effect when the main effect is taken out. */
function effectsOf({ outcome }: ResponseEffects, kind: 'main' | 'interaction'): Map<string, LevelEffect> {
  if ('reason' in outcome) return new Map();
  const mains = new Map(
    outcome.means
      .filter(({ given }) => given === undefined)
      .map(({ factor, level, effect }) => [`${factor}=${level}`, effect] as const),
  );
  if (kind === 'main') return mains;
  return new Map(
    outcome.means.flatMap(({ factor, level, given, effect }) => {
      // Each interaction stands in both directions; one is enough.
      if (given === undefined || factor > given.factor) return [];
      const main = mains.get(`${factor}=${level}`)?.value ?? 0;
      const value = effect.value - main;
      return [
        [`${factor}=${level} ${given.factor}=${given.level}`, { value, lo: Number.NaN, hi: Number.NaN }] as const,
      ];
    }),
  );
}
