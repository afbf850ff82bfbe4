import { setFlagsFromString } from 'node:v8';
import { DseError, messageOf } from '../errors.ts';
import { KserveError } from '../kserve/index.ts';
import { startServer } from './start-server.ts';
import type { ListeningLine, RunningApp, ServerSettings } from './types.ts';

/**
 * The server as a process: `node dist/server/main.js '<JSON ServerSettings>'`.
 *
 * Prints one ListeningLine on standard output. Ends with 0 after a SIGTERM, a SIGINT or the end of standard input (see `exitOnStdinEnd`), having answered what was in
 * flight; with 2 and a sentence on standard error where it could not start; with 1 where its model died under it.
 */

/** Draining and unloading are bounded by themselves; past this the process ends all the same, milliseconds. */
const STOP_TIMEOUT_MS = 15_000;

// Node's HTTP parser hands bodies over in chunks of 64 KB that die at once but count as external memory. V8 answers their number with a full incremental marking every
// few dozen requests of images, which took a quarter of all CPU time the server adds to a request. Without it a scavenge frees them; the heap itself stays small.
setFlagsFromString('--no-incremental-marking');

const [argument] = process.argv.slice(2);
try {
  const settings = JSON.parse(argument ?? '') as ServerSettings;
  const app = await startServer(settings, { onError: (error) => complain(describe(error)) });
  stopWhenTold(app, settings);
  const { url, grpcAddress } = app;
  const line: ListeningLine = { dse: 'listening', url, ...(grpcAddress === undefined ? {} : { grpcAddress }) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
} catch (error) {
  complain(argument === undefined ? 'usage: main.js <server settings as JSON>' : messageOf(error));
  process.exit(2);
}

function stopWhenTold(app: RunningApp, settings: ServerSettings): void {
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => {
      complain(`the server had not stopped after ${STOP_TIMEOUT_MS / 1000} s and was ended`);
      process.exit(0);
    }, STOP_TIMEOUT_MS);
    await app[Symbol.asyncDispose]();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (settings.exitOnStdinEnd) process.stdin.on('end', stop).on('error', stop).resume();
  void app.ended.then((reason) => {
    if (isStopping) return;
    complain(`the model died: ${reason === undefined ? 'without a reason' : messageOf(reason)}`);
    process.exit(1);
  });
}

function describe(error: unknown): string {
  const isExpected = error instanceof DseError || error instanceof KserveError;
  return error instanceof Error && !isExpected ? (error.stack ?? error.message) : messageOf(error);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}
