import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { describe } from 'vitest';
import {
  createContainerLauncher,
  describeLeftover,
  findLeftovers,
  type RunningServer,
} from '../../src/launch/index.ts';
import { readProcessTree } from '../../src/launch/proc.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import { FIXTURE, startFixtureParent } from './fixture.ts';
import { describeLauncherContract } from './launcher-contract.ts';

/** An image with nothing but a minimal system and node; `.ci/start-engines` makes it. */
const IMAGE = 'dse-test-base';

const command = (settings: ServerSettings) => [
  ...['node', '--expose-gc', '/fixture/fixture-server.mjs'],
  JSON.stringify(settings),
];
const options = { image: IMAGE, engineArgs: [`--volume=${dirname(FIXTURE)}:/fixture:ro`] };

for (const engine of ['docker', 'podman'] as const) {
  const missing = await findMissing(engine);
  const launcher = createContainerLauncher(engine, { ...options, command });

  describe.skipIf(missing !== undefined)(`${engine}${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
    describeLauncherContract(engine, () => launcher, {
      missing: {},
      findRemains,
      startParent: (behaviour) => startFixtureParent(engine, behaviour, command, options),
      hostPid,
    });
  });
}

/** Why the engine cannot be tested here; undefined where it can. */
async function findMissing(engine: 'docker' | 'podman'): Promise<string | undefined> {
  const [problem] = await createContainerLauncher(engine).check([{}]);
  if (problem !== undefined) return problem.what;
  const { failed } = await execa(engine, ['image', 'inspect', IMAGE], { reject: false });
  return failed ? `there is no image ${IMAGE}; .ci/start-engines makes it` : undefined;
}

async function findRemains(runLabel: string): Promise<string[]> {
  return (await findLeftovers((label) => label !== runLabel)).map(describeLeftover);
}

/** A process's id on this machine, from its id inside the container. */
function hostPid(server: RunningServer, pid: number): number {
  const found = readProcessTree(server.pid ?? 0).find((one) => {
    const [, ids = ''] = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${one}/status`, 'utf8')) ?? [];
    return Number(ids.split('\t').at(-1)) === pid;
  });
  return found ?? 0;
}
