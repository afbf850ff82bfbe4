import { readFileSync } from 'node:fs';
import { describe } from 'vitest';
import {
  createContainerLauncher,
  describeLeftover,
  findLeftovers,
  type RunningServer,
} from '../../src/launch/index.ts';
import { readProcessTree } from '../../src/launch/proc.ts';
import { startFixtureParent } from './fixture.ts';
import { findMissing, fixtureOptions, insideCommand } from './fixture-containers.ts';
import { describeLauncherContract } from './launcher-contract.ts';

for (const engine of ['docker', 'podman'] as const) {
  const missing = await findMissing(engine);
  const launcher = createContainerLauncher(engine, { ...fixtureOptions, command: insideCommand });

  describe.skipIf(missing !== undefined)(`${engine}${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
    describeLauncherContract(engine, () => launcher, {
      missing: {},
      findRemains,
      startParent: (behaviour) => startFixtureParent(engine, behaviour, insideCommand, fixtureOptions),
      hostPid,
    });
  });
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
