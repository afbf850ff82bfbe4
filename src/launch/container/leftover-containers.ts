import {
  CONTAINER_ENGINES,
  type ContainerEngine,
  callEngine,
  type EngineHost,
  isInstalled,
  RUN_LABEL_KEY,
} from './engine-cli.ts';
import { listLocalHosts } from './engine-hosts.ts';

/** A container that a run made, by its engine's id. */
export interface LabelledContainer extends EngineHost {
  readonly id: string;
  readonly runLabel: string;
}

const LIST_TIMEOUT_MS = 5_000;
const REMOVE_TIMEOUT_MS = 20_000;

const FORMAT: Readonly<Record<ContainerEngine, string>> = {
  docker: `{{.ID}} {{.Label "${RUN_LABEL_KEY}"}}`,
  podman: `{{.ID}} {{index .Labels "${RUN_LABEL_KEY}"}}`,
};

/**
 * Containers of every run, running or not, in every engine that is installed, on its default host and on those of its named hosts that are this machine.
 *
 * One that does not answer has none to tell of; `listSilentEngines` names it.
 */
export async function listLabelledContainers(): Promise<LabelledContainer[]> {
  const hosts = await Promise.all(CONTAINER_ENGINES.filter(isInstalled).map(listHosts));
  const found = (await Promise.all(hosts.flat().map(listContainers))).flat();
  // Two names may lead to the same daemon.
  return [...new Map(found.map((one) => [one.id, one])).values()];
}

/** Engines that are installed but whose default host does not answer, so that nobody knows what containers it holds. */
export async function listSilentEngines(): Promise<ContainerEngine[]> {
  const engines = CONTAINER_ENGINES.filter(isInstalled);
  const areSilent = await Promise.all(
    engines.map((engine) =>
      callEngine({ engine }, ['ps', '--quiet'], LIST_TIMEOUT_MS).then(
        () => false,
        () => true,
      ),
    ),
  );
  return engines.filter((_, at) => areSilent[at]);
}

/** The default host last, so that a container it has is called by no name. */
async function listHosts(engine: ContainerEngine): Promise<readonly EngineHost[]> {
  const named = await listLocalHosts(engine);
  return [...named.map(({ name }) => ({ engine, context: name })), { engine }];
}

async function listContainers(host: EngineHost): Promise<LabelledContainer[]> {
  const { engine } = host;
  const args = ['ps', '--all', '--no-trunc', `--filter=label=${RUN_LABEL_KEY}`, `--format=${FORMAT[engine]}`];
  const text = await callEngine(host, args, LIST_TIMEOUT_MS).catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [id, runLabel] = line.split(' ');
    return id === undefined || runLabel === undefined ? [] : [{ ...host, id, runLabel }];
  });
}

/**
 * Removes a container, running or not; one that is gone is fine.
 *
 * @throws LaunchError where the engine refuses
 */
export async function removeContainer(host: EngineHost, id: string): Promise<void> {
  try {
    await callEngine(host, ['rm', '--force', id], REMOVE_TIMEOUT_MS);
  } catch (error) {
    const isGone = !(await listContainers(host)).some((one) => one.id === id);
    const isAnswering = await callEngine(host, ['ps', '--quiet'], LIST_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
    if (!isGone || !isAnswering) throw error;
  }
}
