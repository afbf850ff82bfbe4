import { LaunchError } from '../../errors.ts';
import { createContainerLauncher, ensureServerImage } from '../../launch/index.ts';
import { choice } from '../../spec/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { interruptOnSignals } from '../interrupt.ts';
import { readOption } from '../option-values.ts';

interface ImageBuildOptions {
  readonly engine: string;
  readonly context?: string;
  readonly base?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `dse image build`: builds the server image where it is missing; the build's own lines go to standard error. */
export async function buildImage(options: ImageBuildOptions): Promise<ExitCode> {
  const engine = readOption('--engine', options.engine, choice(['docker', 'podman']));
  const problems = await createContainerLauncher(engine, { context: options.context }).check([]);
  if (problems.length > 0) throw new LaunchError(problems);
  using interrupt = interruptOnSignals();
  const image = await ensureServerImage(
    { engine, context: options.context },
    {
      baseImage: options.base,
      signal: interrupt.signal,
      onProgress: (line) => process.stderr.write(`${line}\n`),
      isForced: options.force ?? false,
    },
  ).catch((error: unknown) => {
    if (interrupt.signal.aborted) return undefined;
    throw error;
  });
  if (image === undefined) return EXIT.interrupted;
  const { tag, digest, isCached } = image;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ engine, tag, digest, isCached })}\n`
      : `${isCached ? 'is there already' : 'built'}: ${tag}  ${digest}\n`,
  );
  return EXIT.ok;
}
