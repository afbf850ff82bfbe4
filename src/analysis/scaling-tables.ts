import { correlationCells } from './context-tables.ts';
import { findLoadCurves } from './load-curves.ts';
import { CHEAP_METRICS, findPredictions } from './predictors.ts';
import { findScalingCurves } from './scaling.ts';
import { levelsOf, orEmpty } from './table-cells.ts';
import type { Analysis, ResultTable } from './types.ts';

/** `predictors.csv`: which cheap metric tells the served responses. */
export function tabulatePredictors({ sources, outcomeMeans, options }: Analysis): ResultTable {
  const predictors = CHEAP_METRICS.filter((name) => sources.some(({ means }) => means.has(name)));
  const within = [...new Set([...options.contexts, ...options.factors.filter((factor) => factor === 'load')])];
  const responses = [...outcomeMeans.keys()];
  return {
    columns: [
      ...['predictor', 'response', 'context', 'n', 'configurations', 'confidence'],
      ...['pearson', 'pearson_lo', 'pearson_hi', 'spearman', 'spearman_lo', 'spearman_hi'],
      ...['kendall', 'kendall_lo', 'kendall_hi', 'spearman_p', 'empty_because'],
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const one of findPredictions(sources, predictors, responses, within)) {
          const { outcome, n } = one;
          yield [
            ...[one.predictor, one.response, one.context, n, one.configurations, options.confidence],
            ...correlationCells(outcome, n, options.confidence),
            ...('reason' in outcome ? [undefined, outcome.reason] : [outcome.spearman.p, undefined]),
          ];
        }
      },
    },
  };
}

/** Throughputs worth a scaling curve: what a configuration can do at most, and what it did. */
const THROUGHPUTS: readonly string[] = ['capacity_rps', 'throughput_ips'];

/** `scaling.csv`: throughput against threads, quota and other amounts, a row per point of each curve. */
export function tabulateScaling({ configurations: { factors }, sources, options }: Analysis): ResultTable {
  return {
    columns: [
      ...['response', 'factor', 'amount'],
      ...factors.map((factor) => `at_${factor}`),
      ...['n', 'mean', 'speedup', 'efficiency', 'confidence'],
      ...['amdahl_serial', 'amdahl_serial_lo', 'amdahl_serial_hi', 'amdahl_at_one', 'amdahl_residual_sd'],
      ...['usl_contention', 'usl_contention_lo', 'usl_contention_hi'],
      ...['usl_coherency', 'usl_coherency_lo', 'usl_coherency_hi', 'usl_peak', 'usl_at_one', 'usl_residual_sd'],
    ],
    rows: {
      *[Symbol.iterator]() {
        for (const response of THROUGHPUTS) {
          const source = sources.find(({ rowValues }) => rowValues.has(response));
          if (source === undefined) continue;
          const { configurations, rowValues } = source;
          const values = rowValues.get(response) as Float64Array;
          for (const curve of findScalingCurves(configurations, response, values, options.confidence)) {
            const levels = levelsOf(configurations, curve.configuration);
            const held = new Map(configurations.factors.map((name, index) => [name, levels[index]]));
            held.delete(curve.factor);
            const { amdahl, usl } = curve;
            for (const point of curve.points) {
              yield [
                ...[response, curve.factor, point.amount],
                ...factors.map((name) => held.get(name)),
                ...[point.n, point.mean, point.speedup, point.efficiency, options.confidence],
                ...[
                  amdahl?.serial.value,
                  orEmpty(amdahl?.serial.lo),
                  orEmpty(amdahl?.serial.hi),
                  amdahl?.atOne,
                  orEmpty(amdahl?.residualSd),
                ],
                ...[usl?.contention.value, orEmpty(usl?.contention.lo), orEmpty(usl?.contention.hi)],
                ...[usl?.coherency.value, orEmpty(usl?.coherency.lo), orEmpty(usl?.coherency.hi)],
                ...[usl?.peak, usl?.atOne, orEmpty(usl?.residualSd)],
              ];
            }
          }
        }
      },
    },
  };
}

/** `load-curves.csv`: latency against throughput of each server configuration, by load, with the knee. */
export function tabulateLoadCurves({ configurations, means, options }: Analysis): ResultTable {
  const throughput = means.get('achieved_rps') ?? means.get('throughput_ips');
  const latencies = [...means.keys()].filter((name) => /^latency_.*_ms$/.test(name) && !/_(lo|hi)$/.test(name));
  return {
    columns: ['response', ...configurations.factors, 'throughput', 'latency', 'power', 'is_knee'],
    rows: {
      *[Symbol.iterator]() {
        if (throughput === undefined) return;
        for (const response of latencies) {
          for (const { points, knee } of findLoadCurves(
            configurations,
            response,
            throughput,
            means.get(response) as Float64Array,
            options.closedLoads,
          )) {
            for (const point of points) {
              yield [
                response,
                ...levelsOf(configurations, point.configuration),
                point.throughput,
                point.latency,
                point.throughput / point.latency,
                knee === undefined ? undefined : knee === point.configuration,
              ];
            }
          }
        }
      },
    },
  };
}
