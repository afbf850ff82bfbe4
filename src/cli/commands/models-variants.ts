import path from 'node:path';
import { UsageError } from '../../errors.ts';
import { prunePercentFor, resolveModel, writeVariant } from '../../models/index.ts';
import { choice } from '../../spec/index.ts';
import { BYTES_PER_MB } from '../../units.ts';
import { modelCacheDir } from '../cache-dir.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readNumber } from '../model-options.ts';
import { readOption, readWholeNumber } from '../option-values.ts';

interface OutputOptions {
  readonly out: string;
  readonly json?: boolean;
}

interface SampleOptions {
  readonly calibration?: string;
  readonly scale?: string;
  readonly offset?: string;
}

interface QuantizeOptions extends OutputOptions, SampleOptions {
  readonly method: string;
  readonly range: string;
}

/** `dse models quantize`: the model on 8-bit integers. */
export function quantize(model: string, options: QuantizeOptions): Promise<ExitCode> {
  const method = readOption('--method', options.method, choice(['static', 'dynamic']));
  const range = readOption('--range', options.range, choice(['minmax', 'percentile', 'entropy']));
  if (method === 'dynamic' && options.calibration !== undefined) {
    throw new UsageError({
      where: '--calibration',
      what: 'dynamic quantisation finds its ranges while running and takes no samples',
      hint: 'Leave --calibration out, or use --method static.',
    });
  }
  return write(model, method === 'dynamic' ? 'int8-dynamic' : `int8-static-${range}`, options);
}

interface ConvertOptions extends OutputOptions {
  readonly fp16?: boolean;
}

/** `dse models convert`: the model in another number format. */
export function convert(model: string, options: ConvertOptions): Promise<ExitCode> {
  if (!options.fp16) {
    throw new UsageError({
      where: '--fp16',
      what: 'no format was named',
      hint: 'Give --fp16, the one format there is.',
    });
  }
  return write(model, 'fp16', options);
}

interface PruneOptions extends OutputOptions, SampleOptions {
  readonly percent?: string;
  /** Percent of the multiply-adds to keep. */
  readonly macs?: string;
  readonly weights?: boolean;
  readonly by: string;
}

/** `dse models prune`: the model with fewer filters, or with weights set to zero. */
export async function prune(model: string, options: PruneOptions): Promise<ExitCode> {
  const by = readOption('--by', options.by, choice(['activation', 'norm']));
  const percent = await readPercent(model, options, by);
  const variant = options.weights ? `sparse-${percent}` : `pruned-${percent}${by === 'norm' ? '-norm' : ''}`;
  return write(model, variant, options);
}

async function readPercent(model: string, options: PruneOptions, by: 'activation' | 'norm'): Promise<number> {
  const { percent, macs, weights } = options;
  if ((percent === undefined) === (macs === undefined) || (macs !== undefined && weights)) {
    throw new UsageError({
      where: '--percent',
      what:
        weights && macs !== undefined
          ? 'zeroed weights save no multiply-adds'
          : 'one of --percent and --macs is needed',
      hint: 'Give --percent 30 (of filters to remove) or --macs 50 (percent of multiply-adds to keep).',
    });
  }
  if (macs === undefined) return readWholeNumber('--percent', percent ?? '', 1);
  const share = readWholeNumber('--macs', macs, 1) / 100;
  const folders = { baseDir: process.cwd(), cacheDir: modelCacheDir() };
  return prunePercentFor(model, share, { ...folders, by, calibration: readCalibration(options) });
}

function readCalibration(options: SampleOptions) {
  const scale = readNumber('--scale', options.scale) ?? 1;
  const offset = readNumber('--offset', options.offset) ?? 0;
  return options.calibration === undefined ? undefined : { file: path.resolve(options.calibration), scale, offset };
}

async function write(name: string, variant: string, options: OutputOptions & SampleOptions): Promise<ExitCode> {
  const folders = { baseDir: process.cwd(), cacheDir: modelCacheDir() };
  const base = await resolveModel(name, 'fp32', folders);
  const made = await writeVariant(name, variant, {
    ...folders,
    out: path.resolve(options.out),
    calibration: readCalibration(options),
  });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(made)}\n`);
    return EXIT.ok;
  }
  const megabytes = (bytes: number) => (bytes / BYTES_PER_MB).toFixed(2);
  const ratio = (made.sizeBytes / base.sizeBytes).toFixed(3);
  process.stdout.write(
    `Wrote ${made.file}: ${megabytes(made.sizeBytes)} MB, ${ratio} of the base's ${megabytes(base.sizeBytes)} MB.\n`,
  );
  for (const { step, ...parameters } of made.lineage?.steps ?? []) {
    process.stdout.write(
      `  ${[step, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)].join(' ')}\n`,
    );
  }
  for (const caveat of made.caveats) process.stdout.write(`Note: ${caveat}.\n`);
  return EXIT.ok;
}
