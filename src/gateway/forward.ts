import { KserveError, quote } from '../kserve/index.ts';
import { monotonicNs } from '../units.ts';
import { unreachable } from '../unreachable.ts';
import type { Exchange } from './attempt.ts';
import type { GatewayEvents } from './metrics.ts';
import { chooseTarget, type Route, type Target } from './routes.ts';
import { describe } from './upstream.ts';

/**
 * Has a request answered by one of a route's targets, and by another where that is safe.
 *
 * The rule: a request goes to another target only if the one before surely did not begin on it, which is so where no byte of it was written (no connection could be had) or where
 * the answer was 503 (over gRPC: UNAVAILABLE from the server itself). A connection that breaks after the first byte, and an answer that does not come in time, are told to the client (502, 504): the model may have run. No
 * target is tried twice.
 * @throws KserveError where no target answers
 */
export async function forward<Refusal>(
  route: Route,
  exchange: Exchange<Refusal>,
  events: GatewayEvents,
  retryAfterS: number,
): Promise<void> {
  // What is no inference leaves the sequence of choices as it is.
  const { isInference } = exchange;
  const draw = () => (isInference ? route.rng.uniform() : 0);
  const tried: Target[] = [];
  let refusal: { readonly target: Target; readonly answer: Refusal } | undefined;
  for (;;) {
    const target = chooseTarget(route, tried, draw);
    if (target === undefined) break;
    if (tried.length > 0) events.onRetry(route, tried.at(-1) as Target);
    tried.push(target);
    const startNs = monotonicNs();
    events.onSent(target, 1);
    const end = await exchange.attempt(target);
    events.onSent(target, -1);
    switch (end.kind) {
      case 'answered':
        if (isInference) events.onAnswer(route, target, end.status, end.headNs - startNs);
        return;
      case 'client-gone':
        events.onFailure(route, 'client-gone');
        return;
      case 'broken':
        events.onFailure(route, 'broken');
        target.upstream.eject(describe(end.error));
        return;
      case 'refused':
        refusal = { target, answer: end.answer };
        break;
      case 'not-sent':
        target.upstream.eject(describe(end.error));
        break;
      case 'lost':
        throw exchange.failure ?? lost(end.error, target);
      case 'late':
        throw exchange.failure ?? new KserveError(504, `the server "${target.upstream.name}" did not answer in time`);
      default:
        unreachable(end);
    }
    if (exchange.failure !== undefined) throw exchange.failure;
  }
  if (refusal === undefined) throw unavailable(route, retryAfterS);
  if (isInference) events.onAnswer(route, refusal.target, 503, undefined);
  exchange.refuse(refusal.answer);
}

function lost(error: unknown, { upstream }: Target): KserveError {
  const reason = describe(error);
  upstream.eject(reason);
  return new KserveError(
    502,
    `the server "${upstream.name}" failed while it had the request, which is not sent again: ${reason}`,
  );
}

function unavailable({ name, targets }: Route, retryAfterS: number): KserveError {
  const reasons = targets.map(
    ({ upstream, model }) => `${upstream.name}: ${upstream.reasonOf(model) ?? 'ready again'}`,
  );
  return new KserveError(503, `no server can be reached for the model ${quote(name)} (${reasons.join('; ')})`, {
    retryAfterS,
  });
}
