import type { OrderedTrials } from '../../src/analysis/index.ts';
import type { Rng } from '../../src/rng.ts';

/**
 * Servers of three loads in blocks, all in random order, each load measured once a launch; what a launch has of its own is three times the error of a trial.
 *
 * @param isMissing - leaves out trials by their place in the run
 */
export function launchedRun(
  rng: Rng,
  servers: number,
  blocks: number,
  isMissing = (_: number) => false,
): OrderedTrials {
  const trials = Array.from({ length: blocks }, (_, block) =>
    rng.shuffle(Array.from({ length: servers }, (_, server) => server)).flatMap((server) => {
      const own = 0.03 * rng.normal();
      return rng.shuffle([0, 1, 2]).map((load) => ({
        server,
        launch: block * servers + server,
        configuration: 3 * server + load,
        value: (1 + server) * 2 ** load * (1 + own + 0.01 * rng.normal()),
      }));
    }),
  ).flat();
  const kept = [...trials.entries()].filter(([place]) => !isMissing(place));
  const column = (read: (trial: (typeof trials)[number]) => number) =>
    Int32Array.from(kept, ([, trial]) => read(trial));
  return {
    configurations: column(({ configuration }) => configuration),
    runOrder: Float64Array.from(kept, ([place]) => place),
    values: Float64Array.from(kept, ([, { value }]) => value),
    launched: { launches: column(({ launch }) => launch), servers: column(({ server }) => server) },
  };
}
