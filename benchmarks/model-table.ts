/**
 * The table of models and variants: parameters, multiply-adds, file size, bare latency of one item on this machine, accuracy and what it lost against the base; then how long each
 * architecture takes to build. Ends with 1 where one takes 10 s or more.
 *
 *     npm run bench benchmarks/model-table.ts [-- MODEL...]
 *
 * Without names: every model of the catalogue. Variants that are not in the cache yet are made first, which is most of the time. Bare figures are onnxruntime in this process on one thread (`src/models/profile.ts`): run it on a quiet machine.
 * `of base` is the file's share of the base's; `speed` is the base's bare latency over the variant's, `macs` its multiply-adds over the base's; a prune is as good as its multiply-adds where their product is 1.
 */
import { modelCacheDir } from '../src/cli/cache-dir.ts';
import { printTable } from '../src/cli/print-table.ts';
import { catalogue, evaluateModel, profileModel, resolveModel } from '../src/models/index.ts';
import { writeOnnx } from '../src/models/onnx-file.ts';

const MADE = ['fp32', 'fp16', 'int8-static', 'int8-dynamic', 'pruned-30', 'sparse-50'];
const LONGEST_BUILD_S = 10;
const own = { data: undefined, labels: undefined };
const folders = { baseDir: process.cwd(), cacheDir: modelCacheDir() };

const asked = process.argv.slice(2).filter((argument) => argument !== '--');
const names = asked.length > 0 ? asked : Object.keys(catalogue);
const startMs = performance.now();
const rows: string[][] = [];
const refusals: string[] = [];
for (const name of names) {
  const entry = catalogue[name];
  const trained = entry?.isSynthetic === false ? Object.keys(entry.variants ?? {}) : [];
  const base = await resolveModel(name, 'fp32', folders);
  const baseProfile = await profileModel(base, [1]);
  for (const variant of [...MADE, ...trained, ...trained.map((each) => `${each}+int8-static`)]) {
    try {
      rows.push(await rowOf(name, variant));
    } catch (error) {
      // What cannot be made of a model is part of the table.
      rows.push([name, variant, 'not made']);
      refusals.push(`${name} ${variant}: ${(error as Error).message.split('\n')[0]}`);
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
      (made.sizeBytes / base.sizeBytes).toFixed(3),
      profile.bareLatencyMs.toFixed(3),
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
    'of base',
    'bare ms',
    'speed',
    'macs',
    'top-1 %',
    'points against base (95 %)',
  ],
  rows,
);

process.stdout.write(`\n${refusals.map((refusal) => `${refusal}\n`).join('')}`);

const builds: string[][] = [];
for (const name of names) {
  const entry = catalogue[name];
  if (entry?.isSynthetic !== true) continue;
  const beforeMs = performance.now();
  const bytes = writeOnnx(await entry.build(entry.seed));
  const seconds = (performance.now() - beforeMs) / 1e3;
  builds.push([name, (bytes.length / 1e6).toFixed(1), seconds.toFixed(2)]);
  if (seconds >= LONGEST_BUILD_S) process.exitCode = 1;
}
if (builds.length > 0) {
  process.stdout.write('\n');
  printTable(['architecture', 'MB', 'built in s'], builds);
}
process.stdout.write(`\nAll of it took ${((performance.now() - startMs) / 1e3).toFixed(0)} s.\n`);
