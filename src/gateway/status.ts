import { type Routes, stateOf } from './routes.ts';
import type { GatewaySettings, GatewayStatus } from './types.ts';
import type { Upstream } from './upstream.ts';

/** What the gateway knows of its upstreams and where it would send what. */
export function statusOf(parts: {
  readonly settings: GatewaySettings;
  readonly upstreams: readonly Upstream[];
  readonly routes: Routes;
}): GatewayStatus {
  return {
    seed: parts.settings.seed,
    upstreams: parts.upstreams.map(({ name, url, grpc, isUp, downReason }) => ({
      ...{ name, url, ...(grpc !== undefined && { grpc }), isUp },
      ...reason(downReason),
    })),
    models: parts.routes.list().map(({ name, targets }) => ({
      name,
      targets: targets.map((target) => {
        const { upstream, model, share } = target;
        return { upstream: upstream.name, model, share, state: stateOf(target), ...reason(upstream.reasonOf(model)) };
      }),
    })),
  };
}

function reason(text: string | undefined): { readonly reason?: string } {
  return text === undefined ? {} : { reason: text };
}
