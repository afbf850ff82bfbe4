import { messageOf } from '../errors.ts';
import type { ListeningLine } from '../server/types.ts';
import { startGateway } from './start-gateway.ts';
import type { GatewaySettings, RunningGateway } from './types.ts';

/**
 * The gateway as a process: `node dist/gateway/main.js '<JSON GatewaySettings>'`.
 *
 * Prints one ListeningLine on standard output. Ends with 0 after a SIGTERM, a SIGINT or the end of standard input (see `exitOnStdinEnd`), having answered what was in flight;
 * with 2 and a sentence on standard error where it could not start.
 */

const [argument] = process.argv.slice(2);
try {
  const settings = JSON.parse(argument ?? '') as GatewaySettings;
  const gateway = await startGateway(settings, { onChange: complain, onError: (error) => complain(String(error)) });
  stopWhenTold(gateway, settings);
  const { url, grpcAddress } = gateway;
  const line: ListeningLine = { dse: 'listening', url, ...(grpcAddress !== undefined && { grpcAddress }) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
} catch (error) {
  complain(argument === undefined ? 'usage: main.js <gateway settings as JSON>' : messageOf(error));
  process.exit(2);
}

function stopWhenTold(gateway: RunningGateway, { exitOnStdinEnd }: GatewaySettings): void {
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    await gateway[Symbol.asyncDispose]();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (exitOnStdinEnd) process.stdin.on('end', stop).on('error', stop).resume();
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}
