import { inspectModel, type ModelReport } from '../../models/index.ts';
import { formatNumber } from '../../report/index.ts';
import { BYTES_PER_MB } from '../../units.ts';
import { modelCacheDir } from '../cache-dir.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readSizes } from '../model-options.ts';
import { printTable } from '../print-table.ts';

export interface InspectCommandOptions {
  readonly variant: string;
  readonly layers?: boolean;
  readonly optimized?: boolean;
  readonly dim: readonly string[];
  readonly json?: boolean;
}

const MOST_LAYERS = 10;

/** `dse models inspect`: what a model is made of and where its cost lies. 1 where the file can be read and not served. */
export async function inspect(name: string, options: InspectCommandOptions): Promise<ExitCode> {
  const report = await inspectModel(name, options.variant, {
    baseDir: process.cwd(),
    cacheDir: modelCacheDir(),
    optimized: options.optimized,
    dims: readSizes('--dim', options.dim),
  });
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else printReport(report, options);
  return report.refusal === undefined ? EXIT.ok : EXIT.failed;
}

function printReport(report: ModelReport, options: InspectCommandOptions): void {
  const { inputs, outputs, lineage, optimized } = report;
  const tensor = ({ name, type, shape }: ModelReport['inputs'][number]) => `${name} ${type} [${shape.join(', ')}]`;
  const megabytes = (bytes: number | undefined) =>
    bytes === undefined ? 'not known' : `${formatNumber(bytes / BYTES_PER_MB)} MB`;
  const rows: [string, string][] = [
    ['model', `${report.name}${report.isSynthetic ? ' (synthetic weights)' : ''}, variant ${report.variant}`],
    ['file', `${report.file}, ${megabytes(report.sizeBytes)}`],
    ['sha-256', report.digest],
    ['operator set', String(report.opset)],
    ['inputs', inputs.map(tensor).join('; ')],
    ['outputs', outputs.map(tensor).join('; ')],
    ['parameters', `${report.params.toLocaleString('en')}, ${megabytes(report.weightsBytes)} of weights`],
    ['multiply-adds', `${countOf(report.macs)} an item`],
    [
      'activations',
      `${megabytes(report.activationsBytes)} computed an item, at most ${megabytes(report.peakActivationsBytes)} needed at one time`,
    ],
    ...(lineage === undefined ? [] : [['made from', lineage.base] as [string, string]]),
    ...(lineage?.steps ?? []).map(({ step, ...parameters }): [string, string] => [
      'step',
      [step, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)].join(' '),
    ]),
    ...(report.refusal === undefined
      ? []
      : [
          [
            'cannot run',
            `onnxruntime does not load it (${report.refusal}); what stands here was read from the file`,
          ] as [string, string],
        ]),
    ...report.caveats.map((caveat): [string, string] => ['note', caveat]),
  ];
  for (const [key, value] of rows) process.stdout.write(`${key.padEnd(14)} ${value}\n`);
  process.stdout.write('\n');
  printTable(
    ['operator', 'nodes', 'multiply-adds', 'share'],
    report.operators.map(({ opType, count, macs }) => [
      opType,
      String(count),
      countOf(macs),
      shareOf(macs, report.macs),
    ]),
  );
  const costly = [...report.layers].sort((a, b) => (b.macs ?? 0) - (a.macs ?? 0)).slice(0, MOST_LAYERS);
  const layers = options.layers ? report.layers : costly.filter(({ macs }) => macs !== 0);
  process.stdout.write(options.layers ? '\nEvery node:\n' : `\nThe costliest nodes (--layers lists all):\n`);
  printTable(
    ['node', 'operator', 'output', 'multiply-adds', 'share'],
    layers.map(({ name, opType, outputShape, macs }) => [
      name,
      opType,
      outputShape === undefined ? 'not known' : `[${outputShape.join(', ')}]`,
      countOf(macs),
      shareOf(macs, report.macs),
    ]),
  );
  if (optimized === undefined) return;
  process.stdout.write('\nWhat onnxruntime runs on this machine:\n');
  printTable(
    ['operator', 'format', 'nodes'],
    optimized.map(({ opType, format, count }) => [opType, format, String(count)]),
  );
  const inFloat = optimized.filter(({ format }) => format === 'float').map(({ opType }) => opType);
  process.stdout.write(inFloat.length === 0 ? 'Nothing stayed in float.\n' : `In float: ${inFloat.join(', ')}.\n`);
}

function countOf(macs: number | undefined): string {
  return macs === undefined ? 'not known' : macs.toLocaleString('en');
}

function shareOf(part: number | undefined, whole: number | undefined): string {
  return part === undefined || whole === undefined || whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;
}
