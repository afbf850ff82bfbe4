import { once } from 'node:events';
import path from 'node:path';
import { resolveModel } from '../../models/index.ts';
import { startServer } from '../../server/index.ts';
import { FACTORS } from '../../spec/index.ts';
import { modelCacheDir } from '../cache-dir.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readOption, readWholeNumber } from '../option-values.ts';

interface ServeOptions {
  readonly host: string;
  readonly port: string;
  readonly threads: string;
  readonly interOpThreads: string;
  readonly executionMode: string;
  readonly graphOptimization: string;
  readonly spinning?: boolean;
}

/** `dse serve`: one model over KServe V2, in this process, until it is stopped. */
export async function serve(modelName: string, options: ServeOptions): Promise<ExitCode> {
  const engine = {
    intraOpThreads: readWholeNumber('--threads', options.threads, 1),
    interOpThreads: readWholeNumber('--inter-op-threads', options.interOpThreads, 1),
    executionMode: readOption('--execution-mode', options.executionMode, FACTORS.execution_mode.value),
    graphOptimization: readOption('--graph-optimization', options.graphOptimization, FACTORS.graph_optimization.value),
    spinning: options.spinning ?? false,
  };
  const port = readWholeNumber('--port', options.port, 0);
  const model = await resolveModel(modelName, 'fp32', { baseDir: process.cwd(), cacheDir: modelCacheDir() });
  const name = path.basename(model.name, '.onnx');
  await using app = await startServer(
    { modelName: name, modelFile: model.file, host: options.host, port, engine },
    { onError: (error) => process.stderr.write(`${String(error)}\n`) },
  );
  const weights = model.isSynthetic ? ' (synthetic weights)' : '';
  process.stdout.write(`Serving ${model.name}${weights} at ${app.url}/v2/models/${name}/infer. Ctrl-C stops it.\n`);
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const cause = await Promise.race([stopped.then(() => undefined), app.ended]);
  if (cause === undefined) return EXIT.ok;
  process.stderr.write(`The model died: ${cause.message}\n`);
  return EXIT.failed;
}
