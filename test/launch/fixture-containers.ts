import { dirname } from 'node:path';
import { execa } from 'execa';
import { createContainerLauncher } from '../../src/launch/index.ts';
import type { ServerSettings } from '../../src/server/types.ts';
import { FIXTURE } from './fixture-process.ts';

/** An image with nothing but a minimal system and node; `.ci/start-engines` makes it. */
export const TEST_BASE = 'dse-test-base';

/** Launcher options that put the fixture server into a container. */
export const fixtureOptions = { image: TEST_BASE, engineArgs: [`--volume=${dirname(FIXTURE)}:/fixture:ro`] };

export function insideCommand(settings: ServerSettings): string[] {
  return ['node', '--expose-gc', '/fixture/fixture-server.mjs', JSON.stringify(settings)];
}

/** Why an engine cannot be tested here; undefined where it can. */
export async function findMissing(engine: 'docker' | 'podman'): Promise<string | undefined> {
  const [problem] = await createContainerLauncher(engine).check([{}]);
  if (problem !== undefined) return problem.what;
  const { failed } = await execa(engine, ['image', 'inspect', TEST_BASE], { reject: false });
  return failed ? `there is no image ${TEST_BASE}; .ci/start-engines makes it` : undefined;
}
