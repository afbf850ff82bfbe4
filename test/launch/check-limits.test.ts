import { describe, expect, test } from 'vitest';
import { LaunchError } from '../../src/errors.ts';
import { checkLimits } from '../../src/launch/check-limits.ts';
import type { Ability, GroupMaker } from '../../src/launch/group.ts';
import { createLauncher } from '../../src/launch/index.ts';
import { GroupMakers } from '../../src/launch/limit-support.ts';
import { findMismatches } from '../../src/launch/read-back.ts';
import type { EngineName } from '../../src/spec/types.ts';

const yes: Ability = { isAvailable: true };
const no = (why: string, fix = 'run dse as root'): Ability => ({ isAvailable: false, why, fix });

function maker(mechanism: string, cpus: Ability, memory: Ability, usage: Ability = yes): GroupMaker {
  return {
    mechanism,
    isImmediate: !mechanism.startsWith('systemd'),
    probe: async () => ({ cpus, memory, usage }),
    make: () => Promise.reject(new Error('not made in these tests')),
  };
}

const whats = async (makers: GroupMaker[], ...limits: Parameters<typeof checkLimits>[0]) =>
  (await checkLimits(limits, new GroupMakers(makers))).map(({ what, hint }) => `${what} | ${hint}`);

describe('limits before the experiment', () => {
  const refusing = maker(
    'cgroup v2',
    no('no cgroup can be made in /c (EACCES)'),
    no('no cgroup can be made in /c (EACCES)'),
    no('x'),
  );

  test('that are absent are no problem, whatever the machine', async () => {
    expect(await whats([], {}, {})).toEqual([]);
    expect(await whats([refusing], {})).toEqual([]);
  });

  test('that this user may not set are refused with the fix, each once', async () => {
    expect(await whats([refusing], { cpus: 0.5 }, { cpus: 0.5, memoryBytes: 1e8 })).toEqual([
      'a quota of 0.5 CPUs cannot be applied: cgroup v2: no cgroup can be made in /c (EACCES) | Run dse as root.',
      'a memory limit of 100000000 bytes cannot be applied: cgroup v2: no cgroup can be made in /c (EACCES) | Run dse as root.',
    ]);
  });

  test('on a platform without them are refused with another engine to use', async () => {
    expect((await whats([], { cpus: 0.5 }))[0]).toMatch(/has no such limit for a process \| Use --engine docker/);
  });

  test('are tried by the next way where the first cannot', async () => {
    const makers = new GroupMakers([refusing, maker('systemd user scope', yes, yes)]);
    expect((await makers.choose({ cpus: 0.5 }))?.mechanism).toBe('systemd user scope');
    expect(await makers.choose({})).toBeUndefined();
    expect(await makers.explain('memory')).toEqual({
      limit: 'memory',
      isAvailable: true,
      mechanism: 'systemd user scope',
    });
  });

  test('that no one way holds together are refused together', async () => {
    const makers = [maker('a', yes, no('x')), maker('b', no('y'), yes)];
    expect(await whats(makers, { cpus: 0.5, memoryBytes: 1e8 })).toEqual([
      'a quota of 0.5 CPUs and a memory limit of 100000000 bytes cannot be applied together: no one mechanism of this machine ' +
        'holds all of them | Run dse as root, or leave one of the limits out.',
    ]);
  });

  test('beyond the machine are refused, because they would limit nothing', async () => {
    const makers = [maker('cgroup v2', yes, yes)];
    expect((await whats(makers, { cpus: 4096 }))[0]).toMatch(
      /^a quota of 4096 CPUs cannot be applied on \d+ CPUs? \| Choose from 0.01 to/,
    );
    expect((await whats(makers, { cpus: 0 }))[0]).toMatch(/^a quota of 0 CPUs cannot be applied/);
    expect((await whats(makers, { cpus: Number.NaN }))[0]).toMatch(/^a quota of NaN CPUs cannot be applied/);
    expect((await whats(makers, { memoryBytes: 1e18 }))[0]).toMatch(
      /^a memory limit of 1000000000000000000 bytes cannot/,
    );
  });

  test.skipIf(process.platform !== 'linux')('CPUs that are not there are named, with those that are', async () => {
    expect((await whats([], { cpuset: '0,4000-4001' }))[0]).toMatch(
      /^the CPU set "0,4000-4001" names CPU 4000-4001, which dse may not use or this machine does not have \| Choose from /,
    );
    expect((await whats([], { cpuset: 'all' }))[0]).toBe(
      'the CPU set "all" is not a list of CPUs | Write it like "0-3,6".',
    );
  });
});

describe('limits read back', () => {
  test('that differ from what was asked are told with both values', () => {
    const asked = { cpuset: '0-1', cpus: 0.5, memoryBytes: 2e8 };
    expect(findMismatches(asked, { cpuset: '0-3', cpus: 0.25 }).map(({ what }) => what)).toEqual([
      'asked for CPU set 0-1, but the kernel reads back 0-3',
      'asked for CPU quota 0.5, but the kernel reads back 0.25',
      'asked for memory limit (bytes) 200000000, but the kernel reads back unlimited',
    ]);
  });

  test('that nobody asked for are no mismatch', () => {
    expect(findMismatches({}, { cpus: 0.5 })).toEqual([]);
  });

  test('may differ by the rounding of the kernel: whole microseconds of quota, whole pages of memory', () => {
    expect(findMismatches({ cpus: 1 / 3, memoryBytes: 2e8 }, { cpus: 0.33333, memoryBytes: 199999488 })).toEqual([]);
    expect(findMismatches({ memoryBytes: 2e8 }, { memoryBytes: 2e8 - 65_536 })).toHaveLength(1);
    expect(findMismatches({ memoryBytes: 2e8 }, { memoryBytes: 2e8 + 4096 })).toHaveLength(1);
  });

  test('a CPU set may be written in another way', () => {
    expect(findMismatches({ cpuset: '1,0,2' }, { cpuset: '0-2' })).toEqual([]);
  });
});

test('an engine that does not exist is refused with those that do', () => {
  expect(() => createLauncher({ engine: 'lxc' as EngineName })).toThrow(
    new LaunchError({
      what: 'dse does not run servers with the engine "lxc"',
      hint: 'Use one of native, docker, podman, external.',
    }),
  );
});
