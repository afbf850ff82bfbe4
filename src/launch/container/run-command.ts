import type { ServerSettings } from '../../server/types.ts';
import { quoteForShell } from '../../shell-quote.ts';
import type { Limits } from '../types.ts';
import { INNER_GRPC_PORT, INNER_PORT, limitArguments, publishArguments, SHUT_IN } from './create-arguments.ts';
import { type EngineHost, engineCommand } from './engine-cli.ts';

/** Where models are seen inside. */
const MODELS_DIR = '/models';

export interface RunCommandOptions extends EngineHost {
  readonly image: string;
  /** Folder with the models, under the one that the command is run in; the settings name their files without a folder. */
  readonly modelsFolder: string;
  /** Arguments of the user's own for `create`, before the image. */
  readonly engineArgs: readonly string[];
}

/**
 * The command by which a user serves settings in a container, for a POSIX shell; a group of arguments a line.
 *
 * It shuts the server in and limits it as the launcher does, publishes the ports of the settings on this machine only, and runs until it is stopped.
 * @param settings - `port` and `grpcPort` as seen outside
 */
export function runCommand(settings: ServerSettings, limits: Limits, options: RunCommandOptions): string {
  const { image, modelsFolder, engineArgs } = options;
  const { cpus, ...held } = limits;
  const { exitOnStdinEnd: _, ...kept } = settings;
  const inside: ServerSettings = {
    ...kept,
    models: settings.models.map((model) => ({ ...model, file: `${MODELS_DIR}/${model.file}` })),
    host: '0.0.0.0',
    port: INNER_PORT,
    ...(settings.grpcPort !== undefined && { grpcPort: INNER_GRPC_PORT }),
  };
  const groups = [
    [...engineCommand(options), 'run', '--rm', '--pull=never', ...SHUT_IN],
    publishArguments(settings, INNER_PORT),
    [...(cpus === undefined ? [] : [`--cpus=${cpus}`]), ...limitArguments(held)],
    engineArgs,
  ];
  return [
    ...groups.filter((group) => group.length > 0).map((group) => group.map(quoteForShell).join(' ')),
    // The shell puts in where it is; engines take no relative path everywhere.
    `--volume="$PWD"${quoteForShell(`/${modelsFolder}:${MODELS_DIR}:ro`)}`,
    quoteForShell(image),
    quoteForShell(JSON.stringify(inside)),
  ].join(' \\\n  ');
}
