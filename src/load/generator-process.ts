import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadError } from '../errors.ts';
import { compiledEntry } from '../package-files.ts';
import type { Call, GeneratorAnswers, GeneratorMessage, GeneratorRequest } from './messages.ts';
import type { RequestRecords } from './types.ts';

/**
 * The generator is pinned to one CPU, where helper threads of the garbage collector take turns with the thread that sends, milliseconds at a time: it collects by itself, and
 * with room for young objects some ten times a second instead of a hundred.
 */
const NODE_FLAGS = ['--single-threaded-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];
/** A generator that has not reported by then is broken, not slow. */
const READY_WITHIN_MS = 20_000;
/** How long it may take to leave before it is killed. */
const LEAVE_WITHIN_MS = 2_000;
/** So many characters of its last words are kept for the error message. */
const LAST_WORDS = 4_000;

/** The generator process and the calls to it. Whoever started it disposes it. */
export interface GeneratorProcess extends AsyncDisposable {
  readonly pid: number;
  /** @throws LoadError with the generator's own problems, or when it ends before it has answered */
  call<Type extends GeneratorRequest['type']>(
    channel: number,
    request: Extract<GeneratorRequest, { type: Type }>,
  ): Promise<GeneratorAnswers[Type]>;
  /** Rejects with LoadError when the process ends. */
  readonly ended: Promise<never>;
}

/**
 * Starts the generator, pinned where a CPU list is given, and waits until it listens.
 * @throws LoadError where it does not start
 */
export async function startGeneratorProcess(
  { cpuset }: { readonly cpuset: string | undefined },
  onRecords: (channel: number, records: RequestRecords) => void,
): Promise<GeneratorProcess> {
  const node = [process.execPath, ...NODE_FLAGS, compiledEntry('load/generator/main')];
  const [command = '', ...args] = cpuset === undefined ? node : ['taskset', '-c', cpuset, ...node];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' });
  const pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  let lastWords = '';
  let isGone = false;
  let isDisposed = false;

  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  const goodbye = new Promise<LoadError>((resolve) => {
    const say = (how: string) => {
      isGone = true;
      resolve(
        new LoadError({
          where: cpuset === undefined ? 'load generator' : `load generator on CPUs ${cpuset}`,
          what: isDisposed ? 'the load generator was stopped' : `the load generator ended by itself (${how})`,
          hint: lastWords.trim() === '' ? 'It left no message.' : `Its last words:\n${lastWords.trim()}`,
        }),
      );
    };
    child.once('error', (error) => say(error.message));
    // Not `close`: Node may leave it out for a child whose channel was closed from this side.
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      if (child.stderr?.closed === false) child.stderr.once('close', () => say(how));
      else say(how);
    });
  });
  const ended = goodbye.then((error) => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    throw error;
  });
  ended.catch(() => {});

  const ready = new Promise<void>((resolve) => {
    child.on('message', (message: GeneratorMessage) => {
      switch (message.type) {
        case 'ready':
          return resolve();
        case 'records':
          return onRecords(message.channel, message.records);
        case 'answer':
          pending.get(message.id)?.resolve(message.value as never);
          break;
        case 'refusal':
          pending.get(message.id)?.reject(new LoadError(message.problems));
          break;
      }
      pending.delete(message.id);
    });
  });

  const dispose = async () => {
    isDisposed = true;
    if (child.connected) child.disconnect();
    const patience = new AbortController();
    await Promise.race([goodbye, sleep(LEAVE_WITHIN_MS, undefined, { signal: patience.signal })]);
    if (!isGone) child.kill('SIGKILL');
    await goodbye;
    patience.abort();
  };

  const tooSlow = new AbortController();
  try {
    await Promise.race([
      ready,
      ended,
      sleep(READY_WITHIN_MS, undefined, { signal: tooSlow.signal }).then(() => {
        throw new LoadError({
          where: 'load generator',
          what: `the load generator did not report within ${READY_WITHIN_MS / 1000} s`,
          hint: 'The machine may be out of memory or CPU; see what else runs on it.',
        });
      }),
    ]);
  } catch (error) {
    await dispose();
    throw error;
  } finally {
    tooSlow.abort();
  }

  return {
    pid: child.pid as number,
    ended,
    call: async (channel, request) => {
      if (isGone) throw await goodbye;
      const id = nextId++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        // A send that fails means that the process is gone or going, which rejects every pending call.
        child.send({ id, channel, request } satisfies Call, () => {});
      });
    },
    [Symbol.asyncDispose]: dispose,
  };
}
