import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { LaunchError } from '../../errors.ts';
import { PLACEHOLDER } from '../../spec/index.ts';
import { nextGroupName } from '../group-name.ts';
import type { LaunchRequest, OtherServer } from '../types.ts';
import type { ContainerContents, ContainerNetwork } from './create-arguments.ts';

/** A server of somebody else's, with its files in a folder of their own. */
export interface PlacedServer {
  readonly contents: ContainerContents;
  /** Its address over the network of the host. */
  readonly hostUrl: string;
  /** Path that is answered once the model can be used. */
  readonly readyPath: string;
  /** Removes the folder; fine to call twice. */
  remove(): void;
}

/**
 * Writes the files that a server wants around its model into a folder of their own, and says what its container is made with.
 *
 * The model itself is not copied: it is mounted over an empty file, or folder, of that place. The folder carries the run's label in its name.
 */
export async function placeServer(
  { runLabel, settings }: LaunchRequest,
  other: OtherServer,
  network: ContainerNetwork,
): Promise<PlacedServer> {
  const { description, values, model } = other;
  const ports = network === 'host' ? await freePorts(description.ports) : description.ports;
  const fill = (text: string) =>
    fillPlaceholders(text, {
      ...values,
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [`${name}_port`, `${port}`])),
      model: model.name,
      host: network === 'host' ? settings.host : '0.0.0.0',
    });
  const dir = join(tmpdir(), nextGroupName(runLabel));
  const mounts = [{ from: dir, to: description.modelsAt }];
  mkdirSync(dir, { mode: 0o755 });
  try {
    for (const file of description.files) {
      const path = fill(file.path);
      if (file.text !== undefined) writeInto(dir, path, fill(file.text));
      else {
        for (const [from, to] of modelFiles(file.from, path, model)) {
          if (file.from === 'saved-model') mkdirSync(join(dir, to), { recursive: true });
          else writeInto(dir, to, '');
          mounts.push({ from, to: posix.join(description.modelsAt, to) });
        }
      }
    }
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  const [entrypoint = '', ...args] = description.command.map(fill);
  return {
    contents: {
      ...{ entrypoint, args, mounts, writable: description.writable, port: description.ports.http ?? 0 },
      env: Object.fromEntries(Object.entries(description.env).map(([name, text]) => [name, fill(text)])),
    },
    hostUrl: `http://${settings.host}:${ports.http}`,
    readyPath: fill(description.ready.path),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Replaces every placeholder of a text; the description was checked to hold no others. */
export function fillPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACEHOLDER, (placeholder, name: string) => values[name] ?? placeholder);
}

/** The SavedModel that belongs to an ONNX file: the folder beside it. */
export function savedModelOf(onnxFile: string): string {
  return `${onnxFile.replace(/\.onnx$/, '')}.saved_model`;
}

/** What of the model is seen where; weights that stand in files beside it keep their names, which the model refers to. */
function modelFiles(
  from: 'onnx' | 'saved-model',
  path: string,
  { file: modelFile, dataFiles }: OtherServer['model'],
): readonly (readonly [from: string, to: string])[] {
  if (from === 'saved-model') return [[savedModelOf(modelFile), path]];
  const folder = dirname(modelFile);
  return [
    [modelFile, path],
    ...dataFiles.map((file) => [file, posix.join(posix.dirname(path), file.slice(folder.length + 1))] as const),
  ];
}

function writeInto(dir: string, path: string, text: string): void {
  mkdirSync(join(dir, posix.dirname(path)), { recursive: true, mode: 0o755 });
  writeFileSync(join(dir, path), text, { mode: 0o644 });
}

/** A free port of this machine for each name. Another process could take one before the server does; the server then says so. */
async function freePorts(ports: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
  const listeners = await Promise.all(
    Object.keys(ports).map(
      (name) =>
        new Promise<readonly [string, ReturnType<typeof createServer>]>((resolve, reject) => {
          const listener = createServer();
          listener.once('error', (error) =>
            reject(
              new LaunchError({ what: `no free port for "${name}": ${error.message}`, hint: 'Try again.' }, error),
            ),
          );
          listener.listen(0, '127.0.0.1', () => resolve([name, listener]));
        }),
    ),
  );
  const found = listeners.map(([name, listener]) => [name, (listener.address() as { port: number }).port] as const);
  await Promise.all(listeners.map(([, listener]) => new Promise((resolve) => listener.close(resolve))));
  return Object.fromEntries(found);
}
