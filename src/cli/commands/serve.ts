import { once } from 'node:events';
import { UsageError } from '../../errors.ts';
import { startServer } from '../../server/index.ts';
import type { ServingSettings } from '../../server/types.ts';
import { FACTORS } from '../../spec/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readDurationMs, readOption, readPort, readWholeNumber } from '../option-values.ts';
import { readServedModels } from '../served-models.ts';

interface ServeOptions {
  readonly variant: string;
  readonly host: string;
  readonly port: string;
  readonly grpcPort?: string;
  readonly threads: string;
  readonly interOpThreads: string;
  readonly executionMode: string;
  readonly graphOptimization: string;
  readonly spinning?: boolean;
  readonly maxLoaded?: string;
  readonly instances: string;
  readonly maxBatch?: string;
  readonly maxQueueDelay?: string;
  readonly preferredBatches: readonly string[];
  readonly maxQueue: string;
  readonly cache?: string;
  readonly deadline?: string;
  readonly bodyLimit?: string;
}

/** `dse serve`: models over KServe V2, in this process, until it is stopped. */
export async function serve(modelNames: readonly string[], options: ServeOptions): Promise<ExitCode> {
  const serving = readServing(options);
  const port = readPort('--port', options.port);
  const grpcPort = options.grpcPort === undefined ? undefined : readPort('--grpc-port', options.grpcPort);
  const maxLoaded = options.maxLoaded === undefined ? undefined : readWholeNumber('--max-loaded', options.maxLoaded, 1);
  const { bodyLimit } = options;
  const bodyLimitBytes =
    bodyLimit === undefined ? undefined : readOption('--body-limit', bodyLimit, FACTORS.body_limit.value);
  const { models, folder, remarks } = await readServedModels(modelNames, options.variant, serving);
  await using app = await startServer(
    {
      ...{ models, host: options.host, port },
      ...(grpcPort !== undefined && { grpcPort }),
      ...(folder !== undefined && { folder }),
      ...(maxLoaded !== undefined && { maxLoaded }),
      ...(bodyLimitBytes !== undefined && { bodyLimitBytes }),
    },
    { onError: (error) => process.stderr.write(`${String(error)}\n`) },
  );
  for (const remark of remarks) process.stdout.write(`${remark}\n`);
  for (const name of app.modelNames) {
    process.stdout.write(`Serving ${name} at ${app.url}/v2/models/${encodeURIComponent(name)}/infer\n`);
  }
  if (app.grpcAddress !== undefined) process.stdout.write(`Serving over gRPC at ${app.grpcAddress}\n`);
  process.stdout.write('Ctrl-C stops it.\n');
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const cause = await Promise.race([stopped.then(() => undefined), app.ended]);
  if (cause === undefined) return EXIT.ok;
  process.stderr.write(`The model died: ${cause.message}\n`);
  return EXIT.failed;
}

function readServing(options: ServeOptions): ServingSettings {
  const { maxBatch, cache, deadline, maxQueueDelay, preferredBatches } = options;
  if (maxBatch === undefined && (maxQueueDelay !== undefined || preferredBatches.length > 0)) {
    throw new UsageError({
      where: maxQueueDelay === undefined ? '--preferred-batches' : '--max-queue-delay',
      what: 'it has no effect without --max-batch',
      hint: 'Add --max-batch, e.g. --max-batch 8.',
    });
  }
  return {
    engine: {
      intraOpThreads: readWholeNumber('--threads', options.threads, 1),
      interOpThreads: readWholeNumber('--inter-op-threads', options.interOpThreads, 1),
      executionMode: readOption('--execution-mode', options.executionMode, FACTORS.execution_mode.value),
      graphOptimization: readOption(
        '--graph-optimization',
        options.graphOptimization,
        FACTORS.graph_optimization.value,
      ),
      spinning: options.spinning ?? false,
    },
    instances: readWholeNumber('--instances', options.instances, 1),
    maxQueue: readWholeNumber('--max-queue', options.maxQueue, 1),
    ...(cache !== undefined && { cache: { entries: readWholeNumber('--cache', cache, 1) } }),
    ...(deadline !== undefined && { deadlineMs: readDeadlineMs(deadline) }),
    ...(maxBatch !== undefined && {
      batching: {
        maxBatch: readWholeNumber('--max-batch', maxBatch, 1),
        maxQueueDelayMs: readDurationMs('--max-queue-delay', maxQueueDelay ?? '0ms'),
        preferredBatches: readPreferredBatches(preferredBatches, readWholeNumber('--max-batch', maxBatch, 1)),
      },
    }),
  };
}

/** @throws UsageError for none, by which nothing could ever be started on */
function readDeadlineMs(text: string): number {
  const deadlineMs = readDurationMs('--deadline', text);
  if (deadlineMs > 0) return deadlineMs;
  const hint = 'Give a time above 0, e.g. 50ms, or leave it out.';
  throw new UsageError({ where: '--deadline', what: `${JSON.stringify(text)} leaves a request no time`, hint });
}

function readPreferredBatches(texts: readonly string[], maxBatch: number): number[] {
  const sizes = texts.map((size) => readWholeNumber('--preferred-batches', size, 1));
  const most = Math.max(...sizes);
  if (sizes.length === 0 || most <= maxBatch) return sizes;
  throw new UsageError({
    where: '--preferred-batches',
    what: `${most} has no effect with --max-batch ${maxBatch}`,
    hint: `Leave it out, or give --max-batch ${most}.`,
  });
}
