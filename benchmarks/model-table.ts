/**
 * The table of models and variants: parameters, multiply-adds, file size, bare latency and throughput on this machine, accuracy and what it lost against the base.
 *
 *     npm run bench benchmarks/model-table.ts [-- MODEL...]
 *
 * Without names: every model of the catalogue. Bare figures are onnxruntime in this process on one thread (`src/models/profile.ts`): run it on a quiet machine.
 * `speed` is the base's bare latency over the variant's, `macs` its multiply-adds over the base's; a prune is as good as its multiply-adds where their product is 1.
 */
import { modelCacheDir } from '../src/cli/cache-dir.ts';
import { printTable } from '../src/cli/print-table.ts';
import { catalogue, evaluateModel, profileModel, resolveModel } from '../src/models/index.ts';

const MADE = ['fp32', 'fp16', 'int8-static', 'int8-dynamic', 'pruned-30', 'pruned-30+int8-static', 'sparse-50'];
const own = { data: undefined, labels: undefined };
const folders = { baseDir: process.cwd(), cacheDir: modelCacheDir() };

const asked = process.argv.slice(2).filter((argument) => argument !== '--');
const rows: string[][] = [];
for (const name of asked.length > 0 ? asked : Object.keys(catalogue)) {
  const entry = catalogue[name];
  const trained = entry?.isSynthetic === false ? Object.keys(entry.variants ?? {}) : [];
  const base = await resolveModel(name, 'fp32', folders);
  const baseProfile = await profileModel(base);
  for (const variant of [...MADE, ...trained, ...trained.map((each) => `${each}+int8-static`)]) {
    try {
      rows.push(await rowOf(name, variant));
    } catch (error) {
      // What cannot be made of a model is part of the table.
      rows.push([name, variant, (error as Error).message.split('\n')[0] ?? '']);
    }
  }

  async function rowOf(model: string, variant: string): Promise<string[]> {
    const made = await resolveModel(model, variant, folders);
    const profile = variant === 'fp32' ? baseProfile : await profileModel(made);
    const accuracy = made.dataset && (await evaluateModel(made, base, own));
    const lost = accuracy?.againstBase;
    const share = (made.macs ?? Number.NaN) / (base.macs ?? Number.NaN);
    return [
      model,
      variant,
      String(made.params),
      ((made.macs ?? Number.NaN) / 1e6).toFixed(2),
      (made.sizeBytes / 1e6).toFixed(3),
      profile.bareLatencyMs.toFixed(3),
      profile.bareThroughputIps.toFixed(0),
      (baseProfile.bareLatencyMs / profile.bareLatencyMs).toFixed(2),
      share.toFixed(2),
      accuracy === undefined ? '' : (100 * accuracy.top1).toFixed(1),
      lost === undefined || variant === 'fp32'
        ? ''
        : `${(100 * lost.difference).toFixed(1)} (${(100 * lost.interval[0]).toFixed(1)} to ${(100 * lost.interval[1]).toFixed(1)})`,
    ];
  }
}
printTable(
  [
    'model',
    'variant',
    'parameters',
    'M multiply-adds',
    'MB',
    'bare ms',
    'bare items/s',
    'speed',
    'macs',
    'top-1 %',
    'points against base (95 %)',
  ],
  rows,
);
