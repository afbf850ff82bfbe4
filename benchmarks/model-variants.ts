/**
 * What variants gain: throughput of each variant against fp32, in bare onnxruntime loops that take turns in one process, one thread each.
 *
 * For every model: the file's size and the multiply-adds as shares of fp32, the median ratio of throughputs over the rounds, and the operators that stayed in float in the graph
 * that onnxruntime runs; for a prune also the gain times the share of multiply-adds, which is 1 where time falls as they do. Last, how long `dse models quantize resnet50` takes,
 * and its memory. Ends with 1 where a limit is missed: ResNet-18 in int8-static 2.5 times the throughput (on a CPU with VNNI instructions) and 0.27 of the file; ResNet-50
 * quantised in 60 s and 2 GB.
 *
 * Usage: model-variants.ts [seconds a turn, 0.4] [rounds, 5] [models ...]
 */
import '../src/no-telemetry.ts';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { modelCacheDir } from '../src/cli/cache-dir.ts';
import { sessionOptions } from '../src/engine/session.ts';
import { inspectModel, isKnownModel, type ModelReport, makeSampleBatches, resolveModel } from '../src/models/index.ts';
import { packageFile } from '../src/package-files.ts';

const VARIANTS = ['int8-static', 'pruned-30', 'pruned-30+int8-static'];
const DEFAULT_MODELS = ['resnet18', 'squeezenet1.1', 'mobilenetv2', 'mnist-cnn'];
const LIMITED = 'resnet18 int8-static';
const SMALLEST_GAIN = 2.5;
const LARGEST_SIZE_RATIO = 0.27;
const WARMUP_RUNS = 5;
const LONGEST_QUANTIZE_S = 60;
const MOST_QUANTIZE_MB = 2000;

const texts = process.argv.slice(2);
const [seconds = 0.4, rounds = 5] = texts.filter((text) => /^\d+(\.\d+)?$/.test(text)).map(Number);
const named = texts.filter(isKnownModel);
const hasVnni = /avx512_vnni|avx_vnni/.test(readCpuInfo());
const folders = { baseDir: process.cwd(), cacheDir: join(tmpdir(), 'dse-benchmarks'), optimized: true };
console.log(`CPU with VNNI instructions: ${hasVnni ? 'yes' : 'no'}; ${rounds} rounds of ${seconds} s a turn`);

for (const model of named.length > 0 ? named : DEFAULT_MODELS) {
  const base = await inspectModel(model, 'fp32', folders);
  for (const variant of VARIANTS) await compare(base, await inspectModel(model, variant, folders));
}
await timeQuantize();

async function compare(base: ModelReport, made: ModelReport): Promise<void> {
  const [baseLoop, madeLoop] = [await openLoop(base), await openLoop(made)];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Each goes first every other round, so that a drift of the machine favours neither.
    const turns = round % 2 === 0 ? [baseLoop, madeLoop] : [madeLoop, baseLoop];
    const perSecond = new Map<Loop, number>();
    for (const loop of turns) perSecond.set(loop, await loop.run(seconds));
    ratios.push((perSecond.get(madeLoop) ?? 0) / (perSecond.get(baseLoop) ?? 1));
  }
  await Promise.all([baseLoop.close(), madeLoop.close()]);
  const gain = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0;
  const sizeRatio = made.sizeBytes / base.sizeBytes;
  const macs = base.macs === undefined || made.macs === undefined ? 'not known' : (made.macs / base.macs).toFixed(2);
  const yields =
    made.variant === 'pruned-30' && base.macs && made.macs
      ? ` (gain times share ${((gain * made.macs) / base.macs).toFixed(2)})`
      : '';
  const inFloat = made.optimized?.filter(({ format }) => format === 'float') ?? [];
  const label = `${made.name} ${made.variant}`;
  console.log(
    `${label}: ${gain.toFixed(2)} times the throughput (${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}), ${sizeRatio.toFixed(3)} of the file, ${macs} of the multiply-adds${yields}; ` +
      `in float: ${inFloat.map(({ opType, count }) => `${opType} ${count}`).join(', ') || 'nothing'}`,
  );
  if (label !== LIMITED) return;
  const isMet = (gain >= SMALLEST_GAIN || !hasVnni) && sizeRatio <= LARGEST_SIZE_RATIO;
  console.log(
    `limits of ${label}: at least ${SMALLEST_GAIN} times, at most ${LARGEST_SIZE_RATIO}: ${isMet ? 'met' : 'MISSED'}`,
  );
  if (!isMet) process.exitCode = 1;
}

/** In a process of its own, as a user runs it, whose peak memory is its own too. The base is built before. */
async function timeQuantize(): Promise<void> {
  await resolveModel('resnet50', 'fp32', { baseDir: process.cwd(), cacheDir: modelCacheDir() });
  const tellMemory = "process.on('exit', () => console.error('peak kB ' + process.resourceUsage().maxRSS))";
  const out = join(tmpdir(), `dse-benchmarks-resnet50-int8-${process.pid}.onnx`);
  const startMs = performance.now();
  const { stderr } = await execa(process.execPath, [
    ...['--import', `data:text/javascript,${encodeURIComponent(tellMemory)}`],
    ...[packageFile('bin/dse.js'), 'models', 'quantize', 'resnet50', '--out', out],
  ]);
  const tookS = (performance.now() - startMs) / 1e3;
  await rm(out, { force: true });
  const peakMb = Number(/peak kB (\d+)/.exec(stderr)?.[1]) / 1e3;
  const isMet = tookS < LONGEST_QUANTIZE_S && peakMb < MOST_QUANTIZE_MB;
  console.log(
    `dse models quantize resnet50: ${tookS.toFixed(1)} s, at most ${peakMb.toFixed(0)} MB of memory; limits ${LONGEST_QUANTIZE_S} s, ${MOST_QUANTIZE_MB} MB: ${isMet ? 'met' : 'MISSED'}`,
  );
  if (!isMet) process.exitCode = 1;
}

interface Loop {
  /** Runs for some seconds; inferences per second. */
  run(seconds: number): Promise<number>;
  close(): Promise<void>;
}

async function openLoop({ file, inputs }: ModelReport): Promise<Loop> {
  const engine = { intraOpThreads: 1, interOpThreads: 1, graphOptimization: 'all', spinning: false } as const;
  const session = await InferenceSession.create(file, sessionOptions({ ...engine, executionMode: 'sequential' }));
  const [sample] = makeSampleBatches(inputs, { batch: 1, count: 1, seed: 1 });
  const feeds = Object.fromEntries(
    (sample?.tensors ?? []).map(({ name, type, shape, data }) => [name, new Tensor(type, data as never, shape)]),
  );
  for (let run = 0; run < WARMUP_RUNS; run++) await session.run(feeds);
  return {
    async run(duration) {
      const start = performance.now();
      let runs = 0;
      for (; performance.now() - start < 1e3 * duration; runs++) await session.run(feeds);
      return (1e3 * runs) / (performance.now() - start);
    },
    close: () => session.release(),
  };
}

function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
