import { basename, dirname } from 'node:path';
import type { ServerSettings } from '../../server/types.ts';
import { QUOTA_PERIOD_US, quotaUs } from '../group.ts';
import { RUN_LABEL_VARIABLE } from '../run-label.ts';
import type { LaunchRequest, Limits } from '../types.ts';
import { RUN_LABEL_KEY } from './engine-cli.ts';

/** Where the folders of the models are seen inside, each under its number from 1. */
const MODELS_DIR = '/models';

/** Ports of dse's own server inside a container with a network of its own. */
export const INNER_PORT = 8080;
export const INNER_GRPC_PORT = 8081;

/** Nothing inside can be written to, and no privilege can be gained. */
export const SHUT_IN: readonly string[] = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'];

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
  readonly contents: ContainerContents;
}

/** What runs in a container, and what it is given. */
export interface ContainerContents {
  /** The program; that of the image where absent. */
  readonly entrypoint?: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Paths of this machine and where they are seen inside, read-only. */
  readonly mounts: readonly { readonly from: string; readonly to: string }[];
  /** Folders inside that can be written to. */
  readonly writable: readonly string[];
  /** Where it listens inside a network of its own. */
  readonly port: number;
}

/**
 * Arguments of `create` for one server; the same for Docker and Podman.
 *
 * Standard input is a pipe held by dse, which ends the server when dse ends, however it ends. The engine keeps no log: output goes through the attached client into dse's own
 * bounded file.
 */
export function createArguments(request: LaunchRequest, options: CreateOptions): string[] {
  const { runLabel, settings, limits } = request;
  const { name, image, network, engineArgs, user, contents } = options;
  const { entrypoint, args, env, mounts, writable, port } = contents;
  return [
    'create',
    ...['--interactive', `--name=${name}`, `--label=${RUN_LABEL_KEY}=${runLabel}`],
    ...[`--env=${RUN_LABEL_VARIABLE}=${runLabel}`, '--log-driver=none', '--pull=never', '--no-healthcheck'],
    ...SHUT_IN,
    ...(user === undefined ? [] : [`--user=${user}`]),
    ...(network === 'host' ? ['--network=host'] : publishArguments(settings, port)),
    ...limitArguments(limits),
    ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
    ...Object.entries(env).map(([variable, value]) => `--env=${variable}=${value}`),
    ...mounts.map(({ from, to }) => `--volume=${from}:${to}:ro`),
    ...writable.map((dir) => `--tmpfs=${dir}`),
    ...engineArgs,
    image,
    ...args,
  ];
}

/**
 * A container of dse's own server.
 *
 * @param command - the arguments that serve with the given settings
 */
export function ownContents(
  settings: ServerSettings,
  network: ContainerNetwork,
  command: (settings: ServerSettings) => readonly string[],
): ContainerContents {
  return {
    args: command(settingsInside(settings, network)),
    env: {},
    mounts: modelDirs(settings).map((dir, index) => ({ from: dir, to: `${MODELS_DIR}/${index + 1}` })),
    writable: [],
    port: INNER_PORT,
  };
}

/** @param inner - the port inside that requests over HTTP go to */
export function publishArguments(
  { port, grpcPort }: Pick<ServerSettings, 'port' | 'grpcPort'>,
  inner: number,
): string[] {
  const publish = (from: number, to: number) => `--publish=127.0.0.1:${from === 0 ? '' : from}:${to}`;
  return [publish(port, inner), ...(grpcPort === undefined ? [] : [publish(grpcPort, INNER_GRPC_PORT)])];
}

/** Swap is kept out, so that a server over its limit ends instead of crawling. */
export function limitArguments({ cpus, cpuset, memoryBytes }: Limits): string[] {
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
    ...(network === 'published' && settings.grpcPort !== undefined && { grpcPort: INNER_GRPC_PORT }),
  };
}
