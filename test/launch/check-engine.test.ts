import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createContainerLauncher, createLauncher, describeEngine } from '../../src/launch/index.ts';
import { temporaryDir } from './fixture.ts';

/** Puts a program that prints fixed text in the engine's place. */
function pretend(engine: string, stdout: string, { stderr = '', exitCode = 0 } = {}): void {
  const dir = temporaryDir();
  const file = join(dir, engine);
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  writeFileSync(file, `#!/bin/sh\nprintf %s ${quoted(stdout)}\nprintf %s ${quoted(stderr)} >&2\nexit ${exitCode}\n`);
  chmodSync(file, 0o755);
  setPath([dir, process.env.PATH].join(delimiter));
}

function setPath(path: string): void {
  const before = process.env.PATH;
  process.env.PATH = path;
  onTestFinished(() => {
    process.env.PATH = before;
  });
}

const limits = [{ cpus: 0.5 }, { cpus: 0.5, memoryBytes: 1e8 }];

describe.skipIf(process.platform !== 'linux')('an engine before the experiment', () => {
  test.each(['docker', 'podman'] as const)('that is not installed (%s) is refused with the fix', async (engine) => {
    setPath('/nowhere');
    expect(await createLauncher({ engine }).check(limits)).toEqual([
      {
        what: `the program "${engine}" is not installed`,
        hint: expect.stringMatching(/^Install .*or use --engine native\.$/),
      },
    ]);
  });

  test('whose daemon is dead is refused with what it says', async () => {
    pretend('docker', '{"ServerErrors":["Cannot connect to the Docker daemon at unix:///var/run/docker.sock."]}');
    expect(await createContainerLauncher('docker').check([{}])).toEqual([
      {
        what: 'docker is installed but does not work for this user: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.',
        hint: 'Start its daemon: "systemctl start docker", or "dockerd" as root.',
      },
    ]);
  });

  test('whose daemon is not for this user is refused with the group that is', async () => {
    pretend('docker', '', {
      stderr: 'permission denied while trying to connect to the Docker daemon socket',
      exitCode: 1,
    });
    expect((await createContainerLauncher('docker').check([{}]))[0]?.hint).toContain('usermod -aG docker');
  });

  test('that is rootless is refused only the limits that it cannot set, each once, with the fix', async () => {
    pretend('podman', '{"host":{"cgroupControllers":["memory","pids"],"security":{"rootless":true}}}');
    const problems = await createContainerLauncher('podman').check(limits);
    expect(problems.map(({ what }) => what)).toEqual([
      'a CPU quota cannot be applied: rootless podman has no control of the kernel\'s "cpu" controller here',
    ]);
    expect(problems[0]?.hint).toContain('Delegate=cpu cpuset memory pids');
    expect(await createContainerLauncher('podman').check([{ memoryBytes: 1e8 }])).toEqual([]);
  });

  test('that is rootless on cgroup v1 is refused as a whole, because its containers have no cgroup', async () => {
    pretend('podman', '{"host":{"cgroupVersion":"v1","cgroupControllers":[],"security":{"rootless":true}}}');
    const problems = await createContainerLauncher('podman').check(limits);
    expect(problems).toEqual([
      {
        what: 'rootless podman makes no cgroup for a container on a machine with cgroup v1: nothing can be limited, read back or counted',
        hint: expect.stringContaining('systemd.unified_cgroup_hierarchy=1'),
      },
    ]);
  });

  test('is told to `dse doctor` with its cgroups, who it runs as, and what it cannot limit', async () => {
    pretend(
      'podman',
      '{"version":{"Version":"4.3.1"},"host":{"cgroupVersion":"v2","cgroupManager":"systemd","cgroupControllers":["memory"],"security":{"rootless":true}}}',
    );
    expect(await describeEngine('podman')).toEqual({
      isAvailable: true,
      what: 'podman 4.3.1: cgroup v2 (systemd), rootless; it cannot apply a CPU quota, a CPU set',
      fix: expect.stringContaining('Delegate=cpu'),
    });
    pretend(
      'docker',
      '{"ServerVersion":"20.10","CgroupVersion":"1","CgroupDriver":"cgroupfs","CpuCfsQuota":true,"CPUSet":true,"MemoryLimit":true}',
    );
    expect(await describeEngine('docker')).toEqual({
      isAvailable: true,
      what: 'docker 20.10: cgroup v1 (cgroupfs), as root',
    });
  });

  test.each([
    ['docker', 'default unix:///var/run/docker.sock\nlab ssh://me@lab\n', 'the context "lab" of docker'],
    ['podman', 'lab ssh://me@lab:22/run/podman.sock\n', 'the connection "lab" of podman'],
  ] as const)(
    'on another machine (%s) is refused by what cannot be had there, with what to do instead',
    async (engine, hosts, subject) => {
      pretend(engine, hosts);
      const [problem, ...more] = await createContainerLauncher(engine, { context: 'lab' }).check(limits);
      expect(more).toEqual([]);
      expect(problem?.what).toContain(`${subject} is another machine (ssh://me@lab`);
      expect(problem?.what).toContain(
        'there dse cannot read limits back, count CPU time, nor reach a server at 127.0.0.1',
      );
      expect(problem?.hint).toContain('"server.url"');
    },
  );

  test('by a name that it does not know is refused with the names that it knows', async () => {
    pretend('docker', 'default unix:///var/run/docker.sock\nhome tcp://127.0.0.1:2375\n');
    expect(await createContainerLauncher('docker', { context: 'hmoe' }).check(limits)).toEqual([
      {
        what: 'docker has no context "hmoe"',
        hint: 'It has these: default, home; "docker context --help" says how to add one.',
      },
    ]);
  });

  test('of Docker says by itself what it can limit', async () => {
    pretend('docker', '{"ServerVersion":"20.10","CpuCfsQuota":true,"CPUSet":true,"MemoryLimit":false}');
    expect((await createContainerLauncher('docker').check(limits)).map(({ what }) => what)).toEqual([
      'a memory limit cannot be applied: docker has no control of the kernel\'s "memory" controller here',
    ]);
  });
});
