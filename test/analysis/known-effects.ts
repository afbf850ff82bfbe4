import type { CellValue } from '../../src/analysis/index.ts';
import { createRng } from '../../src/rng.ts';

/** What is true of the table, so that a test knows what an analysis should find. */
export const TRUTH = {
  models: { small: 4, large: 20 },
  macs: { small: 3.5e8, large: 1.8e9 },
  params: { small: 1.2e6, large: 1.17e7 },
  accuracy: { small: 0.71, large: 0.8 },
  /** Latency in ms of one image on one thread: that of the model, times these. */
  batches: { 1: 1, 4: 3.2, 8: 6 },
  /** Two threads help the large model and not the small one: an interaction. */
  threads: { small: { 1: 1, 2: 0.98 }, large: { 1: 1, 2: 0.6 } },
  loads: { light: 1.1, high: 2.5 },
  powerW: { 1: 14, 2: 21 },
} as const;

export interface KnownTableOptions {
  readonly seed: number;
  readonly replicates: number;
  /** Standard deviation of the logarithm of latency and energy between replicates. */
  readonly noise: number;
  /** Another machine: its latencies are this many times those of the first. */
  readonly slowdown?: number;
}

/** A table of trials as a run leaves it: two models, three batches, one or two threads, two loads, blocks; latency, energy, throughput and accuracy with known effects. */
export function knownTable({ seed, replicates, noise, slowdown = 1 }: KnownTableOptions): Record<string, CellValue>[] {
  const rng = createRng(seed);
  const rows: Record<string, CellValue>[] = [];
  for (let block = 1; block <= replicates; block++) {
    const blockEffect = 0.5 * noise * rng.normal();
    for (const model of ['small', 'large'] as const) {
      for (const batch of [1, 4, 8] as const) {
        for (const threads of [1, 2] as const) {
          for (const load of ['light', 'high'] as const) {
            const error = () => Math.exp(blockEffect + noise * rng.normal());
            const serviceMs = slowdown * TRUTH.models[model] * TRUTH.batches[batch] * TRUTH.threads[model][threads];
            const latency = serviceMs * TRUTH.loads[load] * error();
            rows.push({
              model,
              batch,
              threads,
              load,
              block,
              run_order: rows.length + 1,
              latency_p99_ms: latency,
              energy_per_inference_j: ((TRUTH.powerW[threads] * serviceMs) / 1000 / batch) * error(),
              throughput_ips: (batch * 1000) / (serviceMs * 1.2) / error(),
              accuracy_top1: TRUTH.accuracy[model],
              params: TRUTH.params[model],
              macs: TRUTH.macs[model],
            });
          }
        }
      }
    }
  }
  return rows;
}

export const KNOWN_FACTORS = ['model', 'batch', 'threads', 'load'];
