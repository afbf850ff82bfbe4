import path from 'node:path';
import { evaluateModel, type ModelEvaluation, resolveModel, type SampleScaling } from '../../models/index.ts';
import { modelCacheDir } from '../cache-dir.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readNumber } from '../model-options.ts';
import { printTable } from '../print-table.ts';

interface EvalOptions {
  readonly variant: string;
  readonly base?: string;
  readonly data?: string;
  readonly labels?: string;
  readonly scale?: string;
  readonly offset?: string;
  readonly json?: boolean;
}

/** `dse models eval`: accuracy on labelled samples, in this process; nothing is served. */
export async function evaluate(name: string, options: EvalOptions): Promise<ExitCode> {
  const folders = { baseDir: process.cwd(), cacheDir: modelCacheDir() };
  const model = await resolveModel(name, options.variant, folders);
  // A variant is compared with the model it was made from, unless another base is named.
  const hasBase = options.base !== undefined || options.variant !== 'fp32';
  const base = hasBase ? await resolveModel(options.base ?? name, 'fp32', folders) : undefined;
  const resolved = (file: string | undefined) => (file === undefined ? undefined : path.resolve(file));
  const scale = readNumber('--scale', options.scale);
  const offset = readNumber('--offset', options.offset);
  const evaluation = await evaluateModel(model, base, {
    data: resolved(options.data),
    labels: resolved(options.labels),
    ...(scale !== undefined && { scale }),
    ...(offset !== undefined && { offset }),
  });
  const { digest, variant, isSynthetic } = model;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ model: name, variant, digest, isSynthetic, ...evaluation })}\n`);
  } else {
    const weights = isSynthetic ? ' (synthetic weights)' : '';
    process.stdout.write(
      `${name}${weights}, variant ${variant}, on ${evaluation.samples} samples of ${evaluation.set}\n\n`,
    );
    print(evaluation);
  }
  return EXIT.ok;
}

function print(evaluation: ModelEvaluation): void {
  const { top1, top5, top1Interval, calibrationError, perClass, againstBase, scaling, ownScaling } = evaluation;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const points = (share: number) => `${share < 0 ? '' : '+'}${(100 * share).toFixed(2)}`;
  const [low, high] = top1Interval;
  process.stdout.write(
    `top-1              ${percent(top1)}  (95 % interval ${percent(low)} to ${percent(high)}, Wilson)\n`,
  );
  process.stdout.write(`top-5              ${percent(top5)}\n`);
  process.stdout.write(`calibration error  ${percent(calibrationError)}  (expected, 15 bins)\n`);
  if (againstBase !== undefined) {
    const { difference, interval, gained, lost } = againstBase;
    process.stdout.write(
      `against the base   ${points(difference)} points  (95 % interval ${points(interval[0])} to ${points(interval[1])}, paired; ${gained} gained, ${lost} lost)\n`,
    );
  }
  if (scaling !== undefined && ownScaling !== undefined) {
    const fed = ({ scale, offset }: SampleScaling) =>
      `value * ${Number(scale.toPrecision(4))} + ${Number(offset.toPrecision(4))}`;
    process.stdout.write(
      `fed as             ${fed(scaling)}  (the model's own samples: ${fed(ownScaling)}; see --scale)\n`,
    );
  }
  process.stdout.write('\n');
  printTable(
    ['class', 'samples', 'top-1'],
    perClass.map(({ label, samples, top1: share }) => [String(label), String(samples), percent(share)]),
  );
}
