import type { PlannedConfiguration } from '../design/types.ts';
import type { GatewaySettings, GatewayStatus } from '../gateway/types.ts';
import { createNativeLauncher } from '../launch/index.ts';
import type { RunningServer } from '../launch/types.ts';
import { compiledEntry } from '../package-files.ts';
import { parseGateway } from '../spec/index.ts';
import type { Level } from '../spec/types.ts';
import { type InferenceTarget, limitsOf, throughGateway } from './configuration-settings.ts';
import type { RunContext } from './context.ts';
import { checkInference, expectOk } from './readiness.ts';
import { TrialFailure, unless } from './waiting.ts';

/** Whether a combination of levels has a gateway in front of its servers. */
export function isBehindGateway(levels: Readonly<Record<string, Level>>): boolean {
  return levels.gateway?.value === 'on';
}

/**
 * Launches a gateway in front of the servers of a configuration, as a process of this machine on a CPU set of its own or else that of the server under test, reads back from it what it
 * serves, and has one real inference of each model answered through it.
 *
 * @param targets - where requests would go without it: one for each model, that of the server under test first
 * @throws LaunchError or TrialFailure where it cannot be had, it being gone by then; the signal's reason where it was aborted
 */
export async function startGateway(
  { configurationId, block, levels }: PlannedConfiguration,
  targets: readonly InferenceTarget[],
  { spec, cpus, store, runLabel }: RunContext,
  signal: AbortSignal,
): Promise<RunningServer> {
  const settings = gatewaySettingsOf(targets, spec.measure.timeoutMs, levels);
  const { readyTimeoutMs, gatewayCpuset = limitsOf(levels, cpus.server).cpuset } = spec.server;
  const launcher = createNativeLauncher({
    command: () => [process.execPath, compiledEntry('gateway/main'), JSON.stringify(settings)],
  });
  const gateway = await launcher.start(
    {
      runLabel,
      settings: { models: [], host: settings.host, port: settings.port },
      limits: gatewayCpuset === undefined ? {} : { cpuset: gatewayCpuset },
      // No name of a neighbour, whose log begins with a dash here.
      logFile: store.logPath(`${configurationId}-b${block}.gateway`),
      readyTimeoutMs,
    },
    signal,
  );
  try {
    const readySignal = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)]);
    await unless(readySignal, checkGateway(gateway.url, settings, readySignal));
    for (const target of targets) {
      await unless(readySignal, checkInference(throughGateway(target, gateway), readySignal));
    }
    return gateway;
  } catch (error) {
    await gateway[Symbol.asyncDispose]();
    throw error;
  }
}

/** What the gateway is told: each model at its server and nowhere else, and the defaults of `dse gateway`. @param timeoutMs - when a request is given up by its client */
function gatewaySettingsOf(
  targets: readonly InferenceTarget[],
  timeoutMs: number,
  { body_limit }: Readonly<Record<string, Level>>,
): GatewaySettings {
  const urls = [...new Set(targets.map(({ url }) => url))];
  const upstreamOf = (url: string) => (url === urls[0] ? 'server' : `neighbour-${urls.indexOf(url)}`);
  const settings = parseGateway(
    {
      port: 0,
      upstreams: Object.fromEntries(urls.map((url) => [upstreamOf(url), url])),
      models: Object.fromEntries(targets.map(({ modelName, url }) => [modelName, [{ upstream: upstreamOf(url) }]])),
    },
    { ofKey: String, ofValue: String },
  );
  // Neighbours are sent their load over REST, so that their servers serve nothing else.
  const upstreams = settings.upstreams.map((upstream) => {
    const grpc = targets.find(({ url, protocol }) => url === upstream.url && protocol === 'grpc')?.grpcAddress;
    return { ...upstream, ...(grpc !== undefined && { grpc }) };
  });
  return {
    ...settings,
    upstreams,
    ...(upstreams.some(({ grpc }) => grpc !== undefined) && { grpcPort: 0 }),
    // Never before the client gives up: its timeout is the one that is measured.
    timeoutMs: Math.max(settings.timeoutMs, timeoutMs),
    // It is for the server to refuse what is too large for it.
    bodyLimitBytes: Math.max(settings.bodyLimitBytes, Number(body_limit?.value ?? 0)),
    exitOnStdinEnd: true,
  };
}

/** Reads back from a gateway which servers and models it serves. @throws TrialFailure where that is not what it was told, or it finds a server down */
async function checkGateway(url: string, { upstreams, models = [] }: GatewaySettings, signal: AbortSignal) {
  const status = (await (await expectOk(`${url}/gateway`, {}, signal)).json()) as GatewayStatus;
  const asked = describe(upstreams, models);
  const found = describe(status.upstreams, status.models);
  if (found !== asked) throw new TrialFailure(`the gateway was told to serve ${asked}, but it reads back ${found}`);
  const down = status.upstreams.filter(({ isUp }) => !isUp).map(({ name, reason }) => `${name}: ${reason}`);
  if (down.length > 0) throw new TrialFailure(`the gateway finds servers down: ${down.join('; ')}`);
}

function describe(
  upstreams: readonly { readonly name: string; readonly url: string; readonly grpc?: string }[],
  models: NonNullable<GatewaySettings['models']>,
): string {
  const urlOf = (wanted: string) => {
    const { url, grpc } = upstreams.find(({ name }) => name === wanted) ?? {};
    return grpc === undefined ? url : `${url} (gRPC ${grpc})`;
  };
  return models
    .map(({ name, targets }) => `${name} at ${targets.map(({ upstream }) => urlOf(upstream)).join(' and ')}`)
    .toSorted()
    .join(', ');
}
