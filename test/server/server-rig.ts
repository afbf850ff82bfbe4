import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { compiledEntry } from '../../src/package-files.ts';
import type { ListeningLine, ServerSettings } from '../../src/server/types.ts';
import { plainSettings } from '../engine/tiny-models.ts';

/** Settings that serve one file as the model "tiny". */
export function settingsFor(file: string, changes: Partial<ServerSettings> = {}): ServerSettings {
  return { models: [{ name: 'tiny', file, engine: plainSettings }], host: '127.0.0.1', port: 0, ...changes };
}

/** A server started as a process of its own, the way a launcher does. */
export class ServerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  #errors = '';
  #output = '';

  /** @param env - beside that of this process */
  constructor(argument: string, env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [compiledEntry('server/main'), argument], {
      stdio: 'pipe',
      env: { ...process.env, ...env },
    });
    this.exit = once(this.child, 'exit').then(([code]) => code as number | null);
    this.child.stderr?.on('data', (chunk) => {
      this.#errors += chunk;
    });
    this.child.stdout?.on('data', (chunk) => {
      this.#output += chunk;
    });
  }

  static async listening(
    settings: ServerSettings,
    env?: NodeJS.ProcessEnv,
  ): Promise<{ server: ServerProcess; url: string; grpcAddress: string | undefined }> {
    const server = new ServerProcess(JSON.stringify(settings), env);
    const lines = createInterface({ input: server.child.stdout as NonNullable<ChildProcess['stdout']> });
    const [line] = await once(lines, 'line');
    const { url, grpcAddress } = JSON.parse(line as string) as ListeningLine;
    return { server, url, grpcAddress };
  }

  get errors(): string {
    return this.#errors;
  }

  get output(): string {
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
  }
}

/** Sends raw bytes and returns what comes back until the server closes the connection, or for as long as `waitMs` where it does not. */
export function exchange(url: string, bytes: string | Uint8Array, waitMs = 2_000): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    };
    const timer = setTimeout(finish, waitMs);
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1');
    });
    socket.on('close', finish).on('error', finish);
  });
}
