import { DRAWS, ROBUST } from './front-uncertainty.ts';
import { frontRowsEach, isTooLong } from './listed.ts';
import { levelsOf, orEmpty } from './table-cells.ts';
import type { Analysis, ResultTable } from './types.ts';

/** `pareto.csv`: every configuration once per front; of very many those on it. */
export function tabulateFronts(analysis: Analysis): ResultTable {
  const { configurations, leftOut, means, options, sampler } = analysis;
  const reasons = new Map(leftOut.map(({ configuration, reason }) => [configuration, reason]));
  const objectives = options.objectives.map(({ response }) => means.get(response) as Float64Array);
  const isShort = isTooLong(configurations, frontRowsEach(configurations, analysis.fronts));
  return {
    columns: [
      'front',
      'on_front',
      ...configurations.factors,
      ...options.objectives.map(({ response }) => response),
      'replicates',
      'left_out_because',
      'p_on_front',
      'p_source',
      'on_robust_front',
      'is_knee',
      'distance_to_front',
      'ties',
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const { front, membership, distances, ties, knee } of analysis.frontDetails) {
          for (const [place, configuration] of front.members.entries()) {
            const isOn = front.onFront[place] === 1;
            if (isShort && !isOn) continue;
            const p = membership?.[place];
            yield [
              front.name,
              isOn,
              ...levelsOf(configurations, configuration),
              ...objectives.map((values) => orEmpty(values[configuration] as number)),
              (configurations.offsets[configuration + 1] as number) - (configurations.offsets[configuration] as number),
              reasons.get(configuration),
              p,
              p === undefined ? undefined : sampler.sources[configuration],
              p === undefined ? undefined : p >= ROBUST,
              knee === configuration,
              orEmpty(distances?.[place]),
              isOn ? ties.get(configuration) : undefined,
            ];
          }
        }
      },
    },
  };
}

/** `fronts.csv`: one row per front. */
export function tabulateFrontSummaries({ frontDetails, options }: Analysis): ResultTable {
  const { objectives, confidence } = options;
  return {
    columns: [
      'front',
      'configurations',
      'on_front',
      'on_robust_front',
      'robust_from',
      'draws',
      'hypervolume',
      'hypervolume_lo',
      'hypervolume_hi',
      'confidence',
      ...objectives.map(({ response }) => `${response}_ideal`),
      ...objectives.map(({ response }) => `${response}_reference`),
      'p_empty_because',
    ],
    rows: frontDetails.map(({ front, membership, membershipReason, hypervolume, box }) => [
      front.name,
      front.members.length,
      front.onFront.reduce((sum, mark) => sum + mark, 0),
      membership?.reduce((sum, share) => sum + (share >= ROBUST ? 1 : 0), 0),
      ROBUST,
      membership === undefined ? undefined : DRAWS,
      hypervolume?.value,
      orEmpty(hypervolume?.lo),
      orEmpty(hypervolume?.hi),
      confidence,
      ...objectives.map((_, k) => box?.ideal[k]),
      ...objectives.map((_, k) => box?.reference[k]),
      membershipReason,
    ]),
  };
}
