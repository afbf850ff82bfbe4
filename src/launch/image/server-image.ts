import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { contentHash } from '../../content-hash.ts';
import { LaunchError, messageOf } from '../../errors.ts';
import { packageFile } from '../../package-files.ts';
import { callEngine, type EngineHost, engineCommand } from '../container/engine-cli.ts';
import { listContextFiles, type ServerFiles } from './server-files.ts';

const DOCKERFILE = 'Dockerfile';
const REPOSITORY = 'dse-server';
/** With the registry that Podman puts before a name of this machine's own. */
const OWN_TAG = new RegExp(`^(localhost/)?${REPOSITORY}:`);
/** Label of the first stage, by which what it leaves in the engine's store is found again. */
const STAGE_LABEL = 'dse.stage=files';
const SHOWN_LINES = 15;
const PRUNE_TIMEOUT_MS = 60_000;

/** An image that an engine holds. */
export interface ServerImage {
  /** `dse-server:<hash of what is in it>`. */
  readonly tag: string;
  /** Of its contents, as the engine computes it: "sha256:...". */
  readonly digest: string;
  /** Whether it was there already. */
  readonly isCached: boolean;
}

export interface ImageOptions {
  /** Image to build on, with Node 20.19 or newer; that of the Dockerfile unless told otherwise, or the variable DSE_BASE_IMAGE. */
  readonly baseImage?: string | undefined;
  readonly signal: AbortSignal;
  /** Told each line of the build that is not blank. */
  readonly onProgress: (line: string) => void;
  /** Build even where the image is there already. */
  readonly isForced?: boolean;
}

/**
 * dse's own server image in an engine, built from the Dockerfile where it is missing.
 *
 * Its tag is a hash over the Dockerfile, the base's name, dse's compiled server and the versions of the packages it needs: whatever changes in them makes another image. What the base's
 * name stood for when it was built is in the digest.
 * @throws LaunchError with the last lines of a build that failed
 */
export async function ensureServerImage(host: EngineHost, options: ImageOptions): Promise<ServerImage> {
  const { baseImage = process.env.DSE_BASE_IMAGE, signal, onProgress, isForced = false } = options;
  const { engine } = host;
  const files = listFiles();
  const tag = tagOf(files, baseImage);
  const known = isForced ? undefined : await findDigest(host, tag);
  if (known !== undefined) return { tag, digest: known, isCached: true };
  onProgress(`building the image ${tag} with ${engine}`);
  try {
    await build(host, tag, files, baseImage, signal, onProgress);
  } finally {
    await removeStages(host);
  }
  const digest = await findDigest(host, tag);
  if (digest !== undefined) return { tag, digest, isCached: false };
  const hint = `Run "dse image build --engine ${engine}" to see what it does.`;
  throw new LaunchError({ where: DOCKERFILE, what: `${engine} built the image ${tag}, but does not have it`, hint });
}

/**
 * The tag that `ensureServerImage` gives the image, whether an engine has it or not.
 *
 * @param baseImage - as in its options
 * @throws LaunchError where dse's own files cannot be read
 */
export function serverImageTag(baseImage: string | undefined = process.env.DSE_BASE_IMAGE): string {
  return tagOf(listFiles(), baseImage);
}

/** Tags of server images of earlier builds of dse, which this dse would not use. */
export async function listOldImages(host: EngineHost): Promise<readonly string[]> {
  const current = serverImageTag();
  const args = ['images', `--filter=reference=${REPOSITORY}`, '--format={{.Repository}}:{{.Tag}}'];
  const text = await callEngine(host, args).catch(() => '');
  // Podman lists every name of an image that has a name asked for, others' included.
  const ours = text.split('\n').filter((tag) => OWN_TAG.test(tag));
  return ours.filter((tag) => !tag.endsWith(current));
}

/**
 * Removes images by their tags; one that a container is made from stays.
 *
 * @returns the tags that are gone
 */
export async function removeImages(host: EngineHost, tags: readonly string[]): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const tag of tags) {
    // Refused where a container still needs it.
    const isGone = await callEngine(host, ['rmi', tag], PRUNE_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
    if (isGone) removed.push(tag);
  }
  return removed;
}

function listFiles(): ServerFiles {
  try {
    return listContextFiles(packageFile(''));
  } catch (error) {
    const what = `the server's files for an image cannot be collected: ${messageOf(error)}`;
    throw new LaunchError({ what, hint: 'Run "npm ci" in dse\'s folder, which installs and builds it.' }, error);
  }
}

function tagOf({ own, packages }: ServerFiles, baseImage: string | undefined): string {
  const read = (file: string) => readFileSync(packageFile(file), 'utf8');
  const hash = contentHash({
    dockerfile: read(DOCKERFILE),
    baseImage,
    own: own.map((file) => [file, read(file)]),
    packages: packages.map(({ dir, name, version }) => [dir, name, version]),
  });
  return `${REPOSITORY}:${hash.slice(0, 16)}`;
}

async function findDigest(host: EngineHost, tag: string): Promise<string | undefined> {
  try {
    const id = await callEngine(host, ['image', 'inspect', '--format', '{{.Id}}', tag]);
    return id.startsWith('sha256:') ? id : `sha256:${id}`;
  } catch {
    return undefined;
  }
}

/** Sends the files as a tar stream, so that nothing is written to disk on this side. */
async function build(
  host: EngineHost,
  tag: string,
  { own, packages }: ServerFiles,
  baseImage: string | undefined,
  signal: AbortSignal,
  onProgress: (line: string) => void,
): Promise<void> {
  const { engine } = host;
  const paths = [DOCKERFILE, ...own, ...packages.flatMap(({ files }) => files)];
  const context = execa('tar', ['--create', '--file=-', `--directory=${packageFile('')}`, '--files-from=-'], {
    input: paths.join('\n'),
    encoding: 'buffer',
    buffer: false,
    reject: false,
    cancelSignal: signal,
  });
  const args = [
    // Everything that goes in is sent along: a build depends on no network.
    ...['build', `--tag=${tag}`, '--force-rm', '--network=none'],
    // Podman's own format knows no health check, and would keep every layer of the first stage.
    ...(engine === 'podman' ? ['--format=docker', '--layers=false'] : []),
    ...(baseImage === undefined ? [] : [`--build-arg=BASE_IMAGE=${baseImage}`]),
    '-',
  ];
  const [program = engine, ...global] = engineCommand(host);
  const builder = execa(program, [...global, ...args], { all: true, reject: false, cancelSignal: signal });
  // A build that fails closes the stream, which then fails as well: the build's words are the ones to tell.
  pipeline(context.stdout, builder.stdin).catch(() => {});
  const lines: string[] = [];
  for await (const line of builder.iterable({ from: 'all' })) {
    if (line.trim() === '') continue;
    lines.push(line);
    onProgress(line);
  }
  const { failed, shortMessage } = await builder;
  if (!failed) return;
  signal.throwIfAborted();
  const shown = lines.slice(-SHOWN_LINES);
  throw new LaunchError({
    where: DOCKERFILE,
    what: `${engine} could not build the server image on ${baseImage ?? 'the base image of the Dockerfile'}`,
    hint: [
      'Name a base image that is here, or can be pulled, with "dse image build --base IMAGE" or DSE_BASE_IMAGE; it needs Node 20.19 or newer.',
      ...(shown.length === 0
        ? [shortMessage ?? '']
        : ['Last lines of the build:', ...shown.map((line) => `  ${line}`)]),
    ].join('\n'),
  });
}

/** What the first stage leaves is of no use to anyone. That it could not be removed does no harm to a measurement. */
async function removeStages(host: EngineHost): Promise<void> {
  const args = ['image', 'prune', '--force', `--filter=label=${STAGE_LABEL}`];
  await callEngine(host, args, PRUNE_TIMEOUT_MS).catch(() => {});
}
