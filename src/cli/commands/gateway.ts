import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { messageOf, SpecError, UsageError } from '../../errors.ts';
import { startGateway } from '../../gateway/index.ts';
import type { GatewaySettings, GatewayStatus } from '../../gateway/types.ts';
import { parseGateway, parseGatewayFile } from '../../spec/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readPort, readWholeNumber } from '../option-values.ts';

interface GatewayCommandOptions {
  readonly upstream: readonly string[];
  readonly model: readonly string[];
  readonly host?: string;
  readonly port?: string;
  readonly grpcPort?: string;
  readonly seed?: string;
}

/** `dse gateway`: one address in front of many servers, in this process, until it is stopped. */
export async function gateway(file: string | undefined, options: GatewayCommandOptions): Promise<ExitCode> {
  const settings = await readSettings(file, options);
  await using running = await startGateway(settings, {
    onChange: (sentence) => process.stderr.write(`${new Date().toISOString()} ${sentence}\n`),
    onError: (error) => process.stderr.write(`${String(error)}\n`),
  });
  for (const line of describeStatus(running.status())) process.stdout.write(`${line}\n`);
  const { url, grpcAddress } = running;
  const overGrpc = grpcAddress === undefined ? '' : `, gRPC at ${grpcAddress}`;
  process.stdout.write(`Listening at ${url}${overGrpc} (health at /gateway, figures at /metrics). Ctrl-C stops it.\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  return EXIT.ok;
}

async function readSettings(file: string | undefined, options: GatewayCommandOptions): Promise<GatewaySettings> {
  const { host, port, seed } = options;
  const changes = {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port: readPort('--port', port) }),
    ...(seed !== undefined && { seed: readWholeNumber('--seed', seed, 0) }),
  };
  if (file === undefined) return parseGateway({ ...changes, ...readRoutes(options) }, OPTION_POSITIONS);
  if (options.upstream.length + options.model.length > 0) {
    throw new UsageError({
      where: options.upstream.length > 0 ? '--upstream' : '--model',
      what: `the servers and models are those of ${file}`,
      hint: 'Write it into the file, or leave the file out.',
    });
  }
  const settings = await readFileSettings(file);
  if (options.grpcPort === undefined) return { ...settings, ...changes };
  if (settings.grpcPort !== undefined) return { ...settings, ...changes, grpcPort: readGrpcPort(options.grpcPort) };
  throw new UsageError({
    where: '--grpc-port',
    what: `${file} does not say where its servers serve gRPC`,
    hint: 'Add it, e.g. grpc: { upstreams: { a: "127.0.0.1:9001" } }, or leave --grpc-port out.',
  });
}

function readGrpcPort(text: string): number {
  return readPort('--grpc-port', text);
}

async function readFileSettings(file: string): Promise<GatewaySettings> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const what = `the description of the gateway cannot be read: ${messageOf(error)}`;
    throw new SpecError(
      { where: file, what, hint: 'Name an existing YAML file, e.g. configs/gateways/two-variants.yaml.' },
      error,
    );
  });
  return parseGatewayFile(text, file);
}

/** `--upstream NAME=URL[,grpc://HOST:PORT]` and `--model NAME=UPSTREAM[/MODEL][:SHARE],...` as the file has them. */
function readRoutes({ upstream, model, grpcPort }: GatewayCommandOptions) {
  const upstreams = upstream.map((text, at) => splitName(text) ?? ([String.fromCharCode(97 + at), text] as const));
  const addresses = upstreams.map(([name, text]) => [name, ...text.split(/,grpc:\/\//)] as const);
  const overGrpc = addresses.flatMap(([name, , grpc]) => (grpc === undefined ? [] : [[name, grpc] as const]));
  const restOnly = addresses.filter(([, , grpc]) => grpc === undefined);
  if (grpcPort !== undefined && restOnly.length > 0) {
    throw new UsageError(
      restOnly.map(([name, url]) => ({
        where: '--upstream',
        what: `the server "${name}" has no address for gRPC`,
        hint: `Give the port that it was started with (--grpc-port), e.g. --upstream ${name}=${url},grpc://127.0.0.1:9001, or leave --grpc-port out.`,
      })),
    );
  }
  if (grpcPort === undefined && overGrpc.length > 0) {
    throw new UsageError({
      where: '--upstream',
      what: `an address for gRPC has no effect without --grpc-port`,
      hint: 'Add e.g. --grpc-port 9000, or leave the address out.',
    });
  }
  const models = model.map((text) => {
    const [name, targets] = splitName(text) ?? [text, ''];
    return [name, targets.split(',').map(readTarget)] as const;
  });
  refuseRepeated(
    '--upstream',
    upstreams.map(([name]) => name),
  );
  refuseRepeated(
    '--model',
    models.map(([name]) => name),
  );
  return {
    upstreams: Object.fromEntries(addresses.map(([name, url]) => [name, url])),
    ...(grpcPort !== undefined && {
      grpc: { port: readGrpcPort(grpcPort), upstreams: Object.fromEntries(overGrpc) },
    }),
    ...(models.length > 0 && { models: Object.fromEntries(models) }),
  };
}

function splitName(text: string): readonly [string, string] | undefined {
  const [, name, rest] = /^([^=/:]+)=(.+)$/.exec(text) ?? [];
  return name === undefined || rest === undefined ? undefined : [name, rest];
}

function readTarget(text: string) {
  const [, upstream, model, share] = /^([^/:]*)(?:\/([^:]+))?(?::(.*))?$/.exec(text) ?? [];
  if (upstream === undefined || upstream === '') {
    throw new UsageError({
      where: '--model',
      what: `"${text}" is no target`,
      hint: 'Give a name, its servers and their shares, e.g. digits=a/mnist-cnn:9,b/mnist-cnn:1.',
    });
  }
  return { upstream, ...(model !== undefined && { model }), ...(share !== undefined && { share: Number(share) }) };
}

function refuseRepeated(where: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice === undefined) return;
  throw new UsageError({ where, what: `"${twice}" is given twice`, hint: 'Give each a name of its own.' });
}

/** Where a problem is told that stands on the command line. */
const OPTION_POSITIONS = { ofValue: optionOf, ofKey: optionOf };

function optionOf([key]: readonly (string | number)[]): string {
  if (key === 'grpc') return '--grpc-port';
  return key === 'models' ? '--model' : key === 'upstreams' || key === undefined ? '--upstream' : `--${key}`;
}

function describeStatus({ upstreams, models }: GatewayStatus): string[] {
  return [
    ...upstreams.flatMap(({ name, url, reason }) =>
      reason === undefined ? [] : [`${name} (${url}) is down: ${reason}`],
    ),
    ...(models.length === 0 ? ['No server lists a model yet; those that come up are taken in.'] : []),
    ...models.map(({ name, targets }) => {
      const all = targets.reduce((sum, { share }) => sum + share, 0);
      const parts = targets.map(({ upstream, model, share, state }) => {
        const percent = Number(((100 * share) / all).toPrecision(3));
        return `${percent} % ${upstream}/${model}${state === 'ready' ? '' : ` (${state})`}`;
      });
      return `${name}: ${parts.join(', ')}`;
    }),
  ];
}
