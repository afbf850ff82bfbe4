import { createRng, deriveSeed, type Rng } from '../rng.ts';
import type { GatewaySettings, TargetState } from './types.ts';
import type { Upstream } from './upstream.ts';

/** A model of an upstream that answers for a name of the gateway's. */
export interface Target {
  readonly upstream: Upstream;
  readonly model: string;
  readonly share: number;
}

/** A name under which the gateway serves a model. */
export interface Route {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly rng: Rng;
}

export function stateOf({ upstream, model }: Target): TargetState {
  return upstream.stateOf(model);
}

/** The best of what a route's targets are. */
export function stateOfRoute({ targets }: Route): TargetState {
  const states = new Set(targets.map(stateOf));
  return states.has('ready') ? 'ready' : states.has('not-ready') ? 'not-ready' : 'down';
}

/**
 * The target of a request: of those that are ready one at random, in proportion to their shares.
 *
 * Where none is ready, one whose server answers although it says no for the model: its own refusal tells more than the gateway could, and a server that loads models when they
 * are asked for does so only then.
 * @param tried - targets this request has been to
 * @param draw - gives the point between 0 and 1 that decides
 * @returns undefined where no server answers, or all were tried
 */
export function chooseTarget({ targets }: Route, tried: readonly Target[], draw: () => number): Target | undefined {
  const left = targets.filter((target) => !tried.includes(target));
  const ready = left.filter((target) => stateOf(target) === 'ready');
  const candidates = ready.length > 0 ? ready : left.filter((target) => stateOf(target) === 'not-ready');
  const total = candidates.reduce((sum, { share }) => sum + share, 0);
  let point = draw() * total;
  return (
    candidates.find(({ share }) => {
      point -= share;
      return point < 0;
    }) ?? candidates.at(-1)
  );
}

/** What the gateway serves, by name. */
export class Routes {
  readonly #upstreams: readonly Upstream[];
  readonly #seed: number;
  readonly #written: ReadonlyMap<string, Route> | undefined;
  readonly #rngs = new Map<string, Rng>();

  constructor({ models, seed }: Pick<GatewaySettings, 'models' | 'seed'>, upstreams: readonly Upstream[]) {
    this.#upstreams = upstreams;
    this.#seed = seed;
    this.#written =
      models &&
      new Map(
        models.map(({ name, targets }) => [
          name,
          {
            ...{ name, rng: this.#rngOf(name) },
            targets: targets.map(({ upstream, model, share }) => ({
              ...{ model, share },
              upstream: named(upstreams, upstream),
            })),
          },
        ]),
      );
  }

  /** @returns undefined where no model of that name is served */
  find(name: string): Route | undefined {
    if (this.#written !== undefined) return this.#written.get(name);
    const targets = this.#upstreams
      .filter(({ models }) => models.has(name))
      .map((upstream) => ({ upstream, model: name, share: 1 }));
    return targets.length === 0 ? undefined : { name, targets, rng: this.#rngOf(name) };
  }

  list(): Route[] {
    const names = this.#written?.keys() ?? this.#upstreams.flatMap(({ models }) => [...models.keys()]);
    return [...new Set(names)].toSorted().map((name) => this.find(name) as Route);
  }

  /** Whether every model has a target that is ready; no where there is none yet. */
  get isReady(): boolean {
    const all = this.list();
    return all.length > 0 && all.every((route) => stateOfRoute(route) === 'ready');
  }

  #rngOf(name: string): Rng {
    const known = this.#rngs.get(name);
    if (known !== undefined) return known;
    const rng = createRng(deriveSeed(this.#seed, 'gateway', name));
    this.#rngs.set(name, rng);
    return rng;
  }
}

function named(upstreams: readonly Upstream[], name: string): Upstream {
  const found = upstreams.find((upstream) => upstream.name === name);
  if (found === undefined) throw new Error(`no upstream is named "${name}"`);
  return found;
}
