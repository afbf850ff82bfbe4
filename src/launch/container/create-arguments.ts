import { basename, dirname } from 'node:path';
import type { ServerSettings } from '../../server/types.ts';
import { QUOTA_PERIOD_US, quotaUs } from '../group.ts';
import { RUN_LABEL_VARIABLE } from '../run-label.ts';
import type { LaunchRequest, Limits } from '../types.ts';
import { RUN_LABEL_KEY } from './engine-cli.ts';

/** Where the folders of the models are seen inside, each under its number from 1. */
const MODELS_DIR = '/models';

/** Port inside a container with a network of its own. */
export const INNER_PORT = 8080;

/**
 * How requests reach the server: over the host's own network, or through a published port, that is through address translation and often a proxy, which costs latency. Host
 * networking is the default, and makes a container's figures comparable with a native server's.
 */
export type ContainerNetwork = 'host' | 'published';

export interface CreateOptions {
  readonly name: string;
  readonly image: string;
  readonly network: ContainerNetwork;
  /** Arguments of the user's own for `create`, before the image. */
  readonly engineArgs: readonly string[];
  /** User and group inside, "1000:1000"; the image's own where absent. */
  readonly user: string | undefined;
  /** The command inside that serves with the given settings. */
  readonly command: (settings: ServerSettings) => readonly string[];
}

/**
 * Arguments of `create` for one server; the same for Docker and Podman.
 *
 * Standard input is a pipe held by dse, which ends the server when dse ends, however it ends. The engine keeps no log: output goes through the attached client into dse's own
 * bounded file. Nothing inside can be written to, and no privilege can be gained.
 */
export function createArguments(request: LaunchRequest, options: CreateOptions): string[] {
  const { runLabel, settings, limits } = request;
  const { name, image, network, engineArgs, user, command } = options;
  return [
    'create',
    ...['--interactive', `--name=${name}`, `--label=${RUN_LABEL_KEY}=${runLabel}`],
    ...[`--env=${RUN_LABEL_VARIABLE}=${runLabel}`, '--log-driver=none', '--pull=never', '--no-healthcheck'],
    ...['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'],
    ...(user === undefined ? [] : [`--user=${user}`]),
    ...(network === 'host' ? ['--network=host'] : [`--publish=127.0.0.1:${publishedPort(settings)}:${INNER_PORT}`]),
    ...limitArguments(limits),
    ...modelDirs(settings).map((dir, index) => `--volume=${dir}:${MODELS_DIR}/${index + 1}:ro`),
    ...engineArgs,
    image,
    ...command(settingsInside(settings, network)),
  ];
}

function publishedPort({ port }: ServerSettings): string {
  return port === 0 ? '' : `${port}`;
}

/** Swap is kept out, so that a server over its limit ends instead of crawling. */
function limitArguments({ cpus, cpuset, memoryBytes }: Limits): string[] {
  return [
    ...(cpus === undefined ? [] : [`--cpu-period=${QUOTA_PERIOD_US}`, `--cpu-quota=${quotaUs(cpus)}`]),
    ...(cpuset === undefined ? [] : [`--cpuset-cpus=${cpuset}`]),
    ...(memoryBytes === undefined ? [] : [`--memory=${memoryBytes}b`, `--memory-swap=${memoryBytes}b`]),
  ];
}

/** Folders that models lie in, each once. */
function modelDirs({ models }: ServerSettings): string[] {
  return [...new Set(models.filter(({ file }) => file !== '').map(({ file }) => dirname(file)))];
}

function fileInside(file: string, settings: ServerSettings): string {
  return file === '' ? '' : `${MODELS_DIR}/${modelDirs(settings).indexOf(dirname(file)) + 1}/${basename(file)}`;
}

function settingsInside(settings: ServerSettings, network: ContainerNetwork): ServerSettings {
  return {
    ...settings,
    exitOnStdinEnd: true,
    models: settings.models.map((model) => ({ ...model, file: fileInside(model.file, settings) })),
    ...(network === 'published' && { host: '0.0.0.0', port: INNER_PORT }),
  };
}
