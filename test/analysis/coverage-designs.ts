import { correlationInterval, shareInterval } from '../../src/analysis/coefficient-intervals.ts';
import { findConsistency } from '../../src/analysis/consistency.ts';
import { correlate } from '../../src/analysis/correlation.ts';
import { partialEtaSquared } from '../../src/analysis/effect-size.ts';
import type { CodedFactor } from '../../src/analysis/effect-terms.ts';
import { fitFactorModel } from '../../src/analysis/factor-fit.ts';
import { buildFactorModel } from '../../src/analysis/factor-model.ts';
import { hypervolumeShare, toCosts } from '../../src/analysis/front-shape.ts';
import {
  analyzeTable,
  type CellValue,
  compareRuns,
  tableFromRecords,
  testOrderEffect,
} from '../../src/analysis/index.ts';
import { levelMeans } from '../../src/analysis/level-means.ts';
import { ratioOfMeans } from '../../src/analysis/ratio-of-means.ts';
import { fitLaws } from '../../src/analysis/scaling.ts';
import { fitSplitPlot, prepareSplitPlot } from '../../src/analysis/split-plot.ts';
import { findTransfers } from '../../src/analysis/transfer.ts';
import type { Rng } from '../../src/rng.ts';
import { launchedRun } from './launched-run.ts';

/** An interval (or a test's p) that an analysis prints, and simulated experiments whose truth is known. */
export interface CoverageDesign {
  /** The columns it is printed in. */
  readonly interval: string;
  /** What is simulated. */
  readonly design: string;
  /** One experiment: whether its interval holds the truth, or its test raises no false alarm; undefined where it printed none. */
  readonly simulate: (rng: Rng) => boolean | undefined;
  /** Minutes rather than seconds for some thousand experiments. */
  readonly isSlow?: boolean;
}

interface Ends {
  readonly lo: number;
  readonly hi: number;
}

const CONFIDENCE = 0.95;
const TIMES = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Every interval over replicates, configurations and contexts. Those over the requests of a queue are in `benchmarks/interval-coverage.ts`. */
export const COVERAGE_DESIGNS: readonly CoverageDesign[] = [
  ...[3, 10].map((n) => ({
    interval: 'summary.csv lo, hi (t)',
    design: `${n} replicates, normal`,
    simulate: (rng: Rng) => coversMean(TIMES(n).map(() => 10 + rng.normal())),
  })),
  {
    interval: 'summary.csv lo, hi (t)',
    design: '5 replicates, lognormal 20 %',
    simulate: (rng) => coversMean(TIMES(5).map(() => 10 * Math.exp(0.2 * rng.normal() - 0.02))),
  },
  ...(['mean', 'effect'] as const).flatMap((kind) =>
    [undefined, 'b1'].map((given) => ({
      interval: `simple_effects.csv ${kind}_lo, ${kind}_hi`,
      design: `2 x 3, 3 blocks, ${given === undefined ? 'over the other factor' : 'at a level of the other'}`,
      simulate: (rng: Rng) => coversLevel(rng, kind, given),
    })),
  ),
  ...(['a', 'b', 'a at b', 'b at a'] as const).flatMap((effect) =>
    [false, true].map((isIncomplete) => ({
      interval: 'simple_effects.csv effect, launches shared',
      design: `3 x 3 loads, 4 blocks, ${effect}${isIncomplete ? ', one trial in seven missing' : ''}`,
      simulate: (rng: Rng) => coversWithinLaunches(rng, effect, isIncomplete),
    })),
  ),
  ...(
    [
      ['a', 2, 1, 6],
      ['a', 3, 1, 4],
      ['a', 2, 2, 6],
      ['b', 2, 2, 6],
      ['a', 3, 3, 4],
      ['b', 3, 3, 4],
    ] as const
  ).map(([term, servers, loads, blocks]) => ({
    interval: 'effects.csv p_permutation above 0.05',
    design: `no effect of ${term}: ${servers} servers x ${loads} loads, ${blocks} blocks, skewed errors`,
    simulate: (rng: Rng) => isNoFalseEffect(rng, term, servers, loads, blocks),
    isSlow: true,
  })),
  ...(
    [
      [6, 3, false],
      [6, 3, true],
      [12, 2, false],
    ] as const
  ).map(([servers, blocks, isIncomplete]) => ({
    interval: 'note on the run order: p above 0.05',
    design: `no drift: ${servers} servers x 3 loads, ${blocks} blocks${isIncomplete ? ', one trial in five missing' : ''}`,
    simulate: (rng: Rng) => {
      const trials = launchedRun(rng, servers, blocks, (place) => isIncomplete && place % 5 === 3);
      const effect = testOrderEffect(trials, rng, 199);
      return 'reason' in effect ? undefined : effect.p > 0.05;
    },
  })),
  ...[0.1, 0.3, 0.6].map((share) => ({
    interval: 'effects.csv partial_eta_sq_lo, _hi',
    design: `2 x 3 x 4 replicates, true share ${share}`,
    simulate: (rng: Rng) => coversEtaSquared(rng, share),
  })),
  ...(['pearson', 'spearman', 'kendall'] as const).flatMap((kind) =>
    [
      [6, 0.5],
      [12, 0.5],
      [12, 0.8],
      [30, 0.8],
      [30, 0.95],
    ].map(([n, rho]) => ({
      interval: `${kind}_lo, ${kind}_hi`,
      design: `${n} pairs, normal, true ${kind === 'pearson' ? 'value' : "Pearson's"} ${rho}`,
      simulate: (rng: Rng) => coversCorrelation(rng, kind, n as number, rho as number),
    })),
  ),
  ...[5, 20].map((n) => ({
    interval: 'shares: same_sign, also_invalid, chances',
    design: `${n} trials, true share anywhere from 0.05 to 0.95`,
    simulate: (rng: Rng) => {
      const share = 0.05 + 0.9 * rng.uniform();
      const successes = TIMES(n).filter(() => rng.uniform() < share).length;
      return covers(shareInterval(successes, n, CONFIDENCE), share);
    },
  })),
  ...(['slope', 'intercept'] as const).flatMap((kind) =>
    [8, 40].map((n) => ({
      interval: `consistency.csv ${kind}_lo, ${kind}_hi`,
      design: `${n} configurations on two hosts`,
      simulate: (rng: Rng) => coversConsistency(rng, kind, n),
    })),
  ),
  ...[true, false].flatMap((isPaired) =>
    [3, 10].map((n) => ({
      interval: 'interference.csv ratio_lo, ratio_hi',
      design: `${n} replicates, ${isPaired ? 'paired by block' : 'unpaired'}`,
      simulate: (rng: Rng) => coversRatio(rng, isPaired, n),
    })),
  ),
  ...[
    ["Welch's t", 3, 3, false],
    ['paired by block', 1, 4, true],
    ['errors added up', 4, 3, false],
    ['one replicate, t over configurations', 10, 1, false],
  ].map(([name, configurations, replicates, isPaired]) => ({
    interval: 'comparison change_lo, change_hi',
    design: `${name}: ${configurations} configurations, ${replicates} replicates, 8 % slower`,
    simulate: (rng: Rng) => coversChange(rng, configurations as number, replicates as number, isPaired as boolean),
  })),
  ...[false, true].map((isIncomplete) => ({
    interval: 'comparison change_lo, change_hi',
    design: `3 loads of 4 launches${isIncomplete ? ', one trial missing' : ''}, 8 % slower`,
    simulate: (rng: Rng) => coversChangeOfLaunches(rng, isIncomplete),
  })),
  ...[
    [4, 3, 0.02],
    [3, 2, 0.05],
    [4, 1, 0.05],
  ].flatMap(([amounts, replicates, noise]) =>
    (['amdahl_serial', 'usl_contention', 'usl_coherency'] as const).map((parameter) => ({
      interval: `scaling.csv ${parameter}_lo, _hi`,
      design: `${amounts} amounts, ${replicates} replicates, noise ${noise}`,
      simulate: (rng: Rng) => coversScaling(rng, parameter, amounts as number, replicates as number, noise as number),
    })),
  ),
  ...[3, 10].flatMap((replicates) =>
    [0.02, 0.1].map((noise) => ({
      interval: 'fronts.csv hypervolume_lo, _hi',
      design: `12 configurations, ${replicates} replicates, noise ${noise}`,
      simulate: (rng: Rng) => coversHypervolume(rng, replicates, noise),
      isSlow: true,
    })),
  ),
  ...[3, 10].flatMap((replicates) =>
    [0.02, 0.1].map((noise) => ({
      interval: 'transfer.csv regret_lo, regret_hi',
      design: `8 configurations, ${replicates} replicates, noise ${noise}`,
      simulate: (rng: Rng) => coversRegret(rng, replicates, noise),
      isSlow: true,
    })),
  ),
];

function covers({ lo, hi }: Ends, truth: number): boolean | undefined {
  return Number.isFinite(lo) && Number.isFinite(hi) ? lo <= truth && truth <= hi : undefined;
}

type Records = readonly Readonly<Record<string, CellValue>>[];

function analyze(records: Records, options: Partial<Parameters<typeof analyzeTable>[1]> = {}) {
  return analyzeTable(tableFromRecords(records, ['a', 'b', 'host', 'id']), {
    factors: ['id'],
    objectives: [{ response: 'y', direction: 'minimize' }],
    contexts: [],
    ...options,
  });
}

function coversMean(values: readonly number[]): boolean | undefined {
  const [summary] = analyze(values.map((y) => ({ id: 'x', y }))).summaries;
  return summary?.interval && covers(summary.interval, 10);
}

/** Cell means of a 2 x 3 design with an interaction. */
const CELLS = [
  [10, 12, 14],
  [11, 15, 19],
];

function coversLevel(rng: Rng, kind: 'mean' | 'effect', given: string | undefined): boolean | undefined {
  const blocks = [1, 2, 3].map(() => 0.5 * rng.normal());
  const meanBlock = blocks.reduce((sum, value) => sum + value, 0) / blocks.length;
  const rows = blocks.flatMap((shift, block) =>
    CELLS.flatMap((row, a) => row.map((mean, b) => ({ codes: [a, b, block], y: mean + shift + rng.normal() }))),
  );
  const factor = (name: string, levels: readonly string[], at: number): CodedFactor => ({
    name,
    levels,
    codes: Int32Array.from(rows, ({ codes }) => codes[at] as number),
  });
  // Below `analyzeTable`, which would also exchange residuals for p-values a thousand times.
  const model = buildFactorModel(
    [factor('a', ['a1', 'a2'], 0), factor('b', ['b1', 'b2', 'b3'], 1), factor('block', ['1', '2', '3'], 2)],
    2,
  );
  const fit = fitFactorModel(
    model,
    Float64Array.from(rows, ({ y }) => y),
  );
  const found = levelMeans(model, fit, CONFIDENCE).find((one) => one.level === 'a2' && one.given?.level === given);
  // Blocks are taken as they are: the mean is that over these blocks.
  const truth = { mean: [15, 11], effect: [1.5, 0.5] }[kind][given === undefined ? 0 : 1] as number;
  return found && covers(found[kind], truth + (kind === 'mean' ? meanBlock : 0));
}

/** A factor `a` of servers and their loads `b`; what a launch has of its own is twice the error of a trial. */
function coversWithinLaunches(rng: Rng, asked: 'a' | 'b' | 'a at b' | 'b at a', isIncomplete: boolean) {
  const rows = TIMES(4)
    .flatMap((block) =>
      TIMES(3).flatMap((a) => {
        const launch = rng.normal();
        return TIMES(3).map((b) => ({
          codes: [a, b, block, block * 3 + a],
          y: a + 2 * b + 0.5 * a * b + launch + 0.5 * rng.normal(),
        }));
      }),
    )
    .filter((_, at) => !isIncomplete || (at + 2) % 7 !== 0);
  const codesOf = (at: number) => Int32Array.from(rows, ({ codes }) => codes[at] as number);
  const factor = (name: string, count: number, at: number): CodedFactor => ({
    name,
    levels: TIMES(count).map((level) => `${name}${level}`),
    codes: codesOf(at),
  });
  const model = buildFactorModel([factor('a', 3, 0), factor('b', 3, 1), factor('block', 4, 2)], 2, codesOf(3));
  const plot = prepareSplitPlot(model);
  if (typeof plot !== 'object') throw new Error(`no strata: ${plot}`);
  const y = Float64Array.from(rows, (row) => row.y);
  const fit = fitSplitPlot(model, plot, fitFactorModel(model, y), y);
  const [name, given] = asked.split(' at ') as [string, string | undefined];
  const found = levelMeans(model, fit, CONFIDENCE).find(
    (one) => one.level === `${name}2` && one.given?.level === (given && `${given}2`),
  );
  // Of level 2 against the mean of levels 0 to 2, the other factor at its mean 1 or at 2.
  const other = given === undefined ? 1 : 2;
  return found && covers(found.effect, name === 'a' ? 1 + 0.5 * other : 2 + 0.5 * other);
}

/** Servers `a` and their loads `b`, of which none differs from the others; what a launch has of its own is as large as the error of a trial, and both are exponential. */
function isNoFalseEffect(rng: Rng, term: 'a' | 'b', servers: number, loads: number, blocks: number) {
  const records = TIMES(blocks).flatMap((block) =>
    TIMES(servers).flatMap((a) => {
      const launch = rng.exponential(1);
      return TIMES(loads).map((b) => ({
        a: `${a}`,
        b: `${b}`,
        block,
        launch: `${a}`,
        y: launch + rng.exponential(1),
      }));
    }),
  );
  const analysis = analyzeTable(tableFromRecords(records, ['a', 'b', 'launch']), {
    factors: loads > 1 ? ['a', 'b'] : ['a'],
    objectives: [{ response: 'y', direction: 'minimize' }],
    contexts: [],
    responses: ['y'],
  });
  const [found] = analysis.effects;
  if (found === undefined || 'reason' in found.outcome) return undefined;
  const p = found.outcome.tests.find((one) => one.term.name === term)?.permutation?.p;
  return p === undefined ? undefined : p > 0.05;
}

/** A main effect of two levels beside a factor of three, four replicates: non-centrality N * effect^2 with errors of 1. */
function coversEtaSquared(rng: Rng, share: number): boolean | undefined {
  const [df1, df2, rows] = [1, 18, 24];
  const noncentrality = (share * (df1 + df2 + 1)) / (1 - share);
  const effect = Math.sqrt(noncentrality / rows);
  let [contrast, error] = [0, 0];
  for (let cell = 0; cell < 6; cell++) {
    const sign = cell < 3 ? -1 : 1;
    const values = TIMES(4).map(() => sign * effect + rng.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / 4;
    contrast += (sign * mean) / 6;
    error += values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  }
  return covers(partialEtaSquared((rows * contrast ** 2) / (error / df2), df1, df2, CONFIDENCE), share);
}

/** Rank correlations of normal pairs: Kruskal (1958), "Ordinal measures of association", JASA 53. */
const OF_NORMAL = {
  pearson: (rho: number) => rho,
  spearman: (rho: number) => (6 / Math.PI) * Math.asin(rho / 2),
  kendall: (rho: number) => (2 / Math.PI) * Math.asin(rho),
} as const;

function coversCorrelation(rng: Rng, kind: keyof typeof OF_NORMAL, n: number, rho: number): boolean | undefined {
  const x = Float64Array.from({ length: n }, () => rng.normal());
  const y = x.map((value) => rho * value + Math.sqrt(1 - rho ** 2) * rng.normal());
  const outcome = correlate(x, y);
  if ('reason' in outcome) return undefined;
  return covers(correlationInterval(kind, outcome[kind].value, n, CONFIDENCE), OF_NORMAL[kind](rho));
}

/** y = 1 + 1.5 x + errors on the second host. */
function coversConsistency(rng: Rng, kind: 'slope' | 'intercept', n: number): boolean | undefined {
  const records = TIMES(n).flatMap((id) => {
    const x = rng.normal();
    return [
      { host: 'one', id: `${id}`, y: x },
      { host: 'two', id: `${id}`, y: 1 + 1.5 * x + 0.5 * rng.normal() },
    ];
  });
  const [row] = consistencyOf(records);
  return row?.line && covers(row.line[kind], { slope: 1.5, intercept: 1 }[kind]);
}

function consistencyOf(records: Records) {
  const analysis = analyze(records, { factors: ['host', 'id'], contexts: ['host'] });
  return findConsistency(analysis.configurations, analysis.outcomeMeans, ['host'], CONFIDENCE);
}

function coversRatio(rng: Rng, isPaired: boolean, n: number): boolean | undefined {
  const blocks = Float64Array.from({ length: n }, () => 1 + 0.1 * rng.normal());
  const draw = (mean: number) => blocks.map((block) => mean * (isPaired ? block : 1) * (1 + 0.05 * rng.normal()));
  const { interval } = ratioOfMeans(draw(14), draw(10), { isPaired, isNonNegative: true, confidence: CONFIDENCE });
  return 'reason' in interval ? undefined : covers(interval, 1.4);
}

function coversChange(rng: Rng, configurations: number, replicates: number, isPaired: boolean): boolean | undefined {
  const blocks = TIMES(replicates).map(() => 0.1 * rng.normal());
  const noise = () => 0.05 * rng.normal();
  const side = (factor: number) =>
    TIMES(configurations).flatMap((id) =>
      TIMES(replicates).map((block) => ({
        id: `${id}`,
        block: block + 1,
        latency_ms: 10 * (id + 1) * factor * Math.exp((isPaired ? (blocks[block] as number) : 0) + noise()),
      })),
    );
  const levels = new Map<string, string>();
  const { overall } = compareRuns({
    base: { table: tableFromRecords(side(1), ['id']), levels },
    next: { table: tableFromRecords(side(1.08), ['id']), levels },
    factors: ['id'],
    responses: [{ response: 'latency_ms', direction: 'minimize', margin: { kind: 'share', value: 0.05 } }],
    isPaired,
    confidence: CONFIDENCE,
  });
  return overall[0] && covers(overall[0], 0.08);
}

/** Three loads that share launches, whose own part is twice the error of a trial. */
function coversChangeOfLaunches(rng: Rng, isIncomplete: boolean): boolean | undefined {
  const side = (factor: number) =>
    TIMES(4)
      .flatMap((launch) => {
        const own = 0.1 * rng.normal();
        return TIMES(3).map((load) => ({
          load: `${load}`,
          launch,
          latency_ms: 10 * (load + 1) * factor * Math.exp(own + 0.05 * rng.normal()),
        }));
      })
      .filter((_, at) => !isIncomplete || at !== 4);
  const levels = new Map<string, string>();
  const { overall } = compareRuns({
    base: { table: tableFromRecords(side(1), ['load']), levels },
    next: { table: tableFromRecords(side(1.08), ['load']), levels },
    factors: ['load'],
    responses: [{ response: 'latency_ms', direction: 'minimize', margin: { kind: 'share', value: 0.05 } }],
    isPaired: false,
    confidence: CONFIDENCE,
  });
  return overall[0] && covers(overall[0], 0.08);
}

const LAWS = { contention: 0.1, coherency: 0.01, serial: 0.2 };

function coversScaling(
  rng: Rng,
  parameter: 'amdahl_serial' | 'usl_contention' | 'usl_coherency',
  amounts: number,
  replicates: number,
  noise: number,
): boolean | undefined {
  const isAmdahl = parameter === 'amdahl_serial';
  const [contention, coherency] = isAmdahl ? [LAWS.serial, 0] : [LAWS.contention, LAWS.coherency];
  const used = Float64Array.from(TIMES(amounts * replicates), (at) => 2 ** (at % amounts));
  const throughputs = used.map(
    (n) => ((100 * n) / (1 + contention * (n - 1) + coherency * n * (n - 1))) * Math.exp(noise * rng.normal()),
  );
  const { amdahl, usl } = fitLaws(used, throughputs, amounts, CONFIDENCE);
  if (isAmdahl) return amdahl && covers(amdahl.serial, contention);
  if (usl === undefined) return undefined;
  return parameter === 'usl_contention' ? covers(usl.contention, contention) : covers(usl.coherency, coherency);
}

/** Latency and energy of twelve configurations along a trade-off; the truth is the front of the true means in the box that the measured ones span. */
function coversHypervolume(rng: Rng, replicates: number, noise: number): boolean | undefined {
  const truths = TIMES(12).map((id) => {
    const place = (id % 6) / 5;
    const waste = id < 6 ? 1 : 1.3;
    return { id: `${id}`, latency_ms: 10 * waste * 3 ** place, energy_j: 10 * waste * 3 ** (1 - place) };
  });
  const objectives = [
    { response: 'latency_ms', direction: 'minimize' as const },
    { response: 'energy_j', direction: 'minimize' as const },
  ];
  const drawn = (value: number) => value * Math.exp(noise * rng.normal() - noise ** 2 / 2);
  const records = truths.flatMap(({ id, latency_ms, energy_j }) =>
    TIMES(replicates).map(() => ({ id, latency_ms: drawn(latency_ms), energy_j: drawn(energy_j) })),
  );
  const [detail] = analyze(records, { objectives }).frontDetails;
  if (detail?.box === undefined || detail.hypervolume === undefined) return undefined;
  const trueMeans = new Map(
    (['latency_ms', 'energy_j'] as const).map((name) => [name, Float64Array.from(truths, (truth) => truth[name])]),
  );
  const costs = toCosts(trueMeans, objectives, detail.box);
  return covers(detail.hypervolume, hypervolumeShare(costs, TIMES(truths.length)));
}

/** Eight configurations on two hosts whose best ones differ: the best of the one is 10 % off the best of the other. */
function coversRegret(rng: Rng, replicates: number, noise: number): boolean | undefined {
  const onOne = [10, 10.8, 11.5, 12, 13, 14, 15, 16];
  const onTwo = [11, 10, 11.5, 12, 13, 14, 15, 16];
  const drawn = (value: number) => value * Math.exp(noise * rng.normal());
  const records = TIMES(replicates).flatMap((block) =>
    [onOne, onTwo].flatMap((values, host) =>
      values.map((value, id) => ({ host: `${host}`, id: `${id}`, block, latency_ms: drawn(value) })),
    ),
  );
  const objectives = [{ response: 'latency_ms', direction: 'minimize' as const }];
  const analysis = analyze(records, { factors: ['host', 'id'], contexts: ['host'], objectives });
  const { options, ...rest } = analysis;
  const [transfer] = findTransfers({ ...options, ...rest });
  if (transfer === undefined || 'reason' in transfer.outcome) return undefined;
  return covers({ lo: transfer.outcome.regretLo, hi: transfer.outcome.regretHi }, 0.1);
}
