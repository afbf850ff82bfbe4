import { CONTAINER_ENGINES, type ContainerEngine, callEngine, isInstalled, RUN_LABEL_KEY } from './engine-cli.ts';

/** A container that a run made, by its engine's id. */
export interface LabelledContainer {
  readonly engine: ContainerEngine;
  readonly id: string;
  readonly runLabel: string;
}

const LIST_TIMEOUT_MS = 5_000;
const REMOVE_TIMEOUT_MS = 20_000;

const FORMAT: Readonly<Record<ContainerEngine, string>> = {
  docker: `{{.ID}} {{.Label "${RUN_LABEL_KEY}"}}`,
  podman: `{{.ID}} {{index .Labels "${RUN_LABEL_KEY}"}}`,
};

/** Containers of every run, running or not, in every engine that is installed. One that does not answer has none to tell of: nothing can be removed from it either. */
export async function listLabelledContainers(): Promise<LabelledContainer[]> {
  return (await Promise.all(CONTAINER_ENGINES.filter(isInstalled).map(listContainers))).flat();
}

async function listContainers(engine: ContainerEngine): Promise<LabelledContainer[]> {
  const args = ['ps', '--all', '--no-trunc', `--filter=label=${RUN_LABEL_KEY}`, `--format=${FORMAT[engine]}`];
  const text = await callEngine(engine, args, LIST_TIMEOUT_MS).catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [id, runLabel] = line.split(' ');
    return id === undefined || runLabel === undefined ? [] : [{ engine, id, runLabel }];
  });
}

/**
 * Removes a container, running or not; one that is gone is fine.
 *
 * @throws LaunchError where the engine refuses
 */
export async function removeContainer(engine: ContainerEngine, id: string): Promise<void> {
  try {
    await callEngine(engine, ['rm', '--force', id], REMOVE_TIMEOUT_MS);
  } catch (error) {
    const isGone = !(await listContainers(engine)).some((one) => one.id === id);
    const isAnswering = await callEngine(engine, ['ps', '--quiet'], LIST_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
    if (!isGone || !isAnswering) throw error;
  }
}
