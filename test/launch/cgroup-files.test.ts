import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openCgroupV1, openCgroupV2 } from '../../src/launch/cgroup-files.ts';
import { findCgroupMounts } from '../../src/launch/cgroup-mounts.ts';
import { temporaryDir } from './fixture.ts';

function cgroupDir(files: Readonly<Record<string, string>>): string {
  const dir = temporaryDir();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

describe('the files of a cgroup', () => {
  test('of version 2 give limits, CPU time, throttled time, kills and processes', () => {
    const files = openCgroupV2(
      cgroupDir({
        'cpu.max': '50000 100000\n',
        'memory.max': '268435456\n',
        'cpu.stat':
          'usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\nnr_periods 9\nnr_throttled 3\nthrottled_usec 4321\n',
        'memory.events': 'low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\n',
        'cgroup.procs': '17\n18\n',
        'io.stat':
          '8:0 rbytes=4096 wbytes=512 rios=1 wios=1 dbytes=0 dios=0\n253:0 rbytes=100 wbytes=0 rios=1 wios=0\n',
      }),
    );
    expect(files.readLimits()).toEqual({ cpus: 0.5, memoryBytes: 268435456 });
    expect(files.readCpuTimeUs()).toBe(1234567);
    expect(files.readThrottledUs()).toBe(300_000);
    expect(files.readOomKills()).toBe(1);
    expect(files.readPids()).toEqual([17, 18]);
    expect(files.readBlockBytes()).toEqual({ blockReadBytes: 4196, blockWriteBytes: 512 });
  });

  test('of version 2 without limits read as none', () => {
    const files = openCgroupV2(cgroupDir({ 'cpu.max': 'max 100000\n', 'memory.max': 'max\n' }));
    expect(files.readLimits()).toEqual({});
  });

  test('give the limit that holds where a cgroup above allows less', () => {
    const parent = cgroupDir({ 'cpu.max': '25000 100000\n', 'memory.max': 'max\n' });
    const child = join(parent, 'child');
    mkdirSync(child);
    writeFileSync(join(child, 'cpu.max'), '200000 100000\n');
    writeFileSync(join(child, 'memory.max'), '4096\n');
    expect(openCgroupV2(child).readLimits()).toEqual({ cpus: 0.25, memoryBytes: 4096 });
  });

  test('of version 1 give the same from directories apart, in the same units', () => {
    const files = openCgroupV1({
      cpu: cgroupDir({
        'cpu.cfs_quota_us': '25000\n',
        'cpu.cfs_period_us': '100000\n',
        'cpu.stat': 'nr_periods 9\nnr_throttled 3\nthrottled_time 4321000\n',
      }),
      cpuacct: cgroupDir({ 'cpuacct.usage': '1234567000\n', 'cgroup.procs': '17\n' }),
      memory: cgroupDir({
        'memory.limit_in_bytes': '268435456\n',
        'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
      }),
      blkio: cgroupDir({
        'blkio.throttle.io_service_bytes_recursive':
          '8:0 Read 4096\n8:0 Write 512\n8:0 Sync 4608\n8:0 Total 4608\n253:0 Read 100\n253:0 Write 0\nTotal 4708\n',
      }),
    });
    expect(files.readLimits()).toEqual({ cpus: 0.25, memoryBytes: 268435456 });
    expect(files.readCpuTimeUs()).toBe(1234567);
    expect(files.readThrottledUs()).toBe(300_000);
    expect(files.readOomKills()).toBe(1);
    expect(files.readPids()).toEqual([17]);
    expect(files.readBlockBytes()).toEqual({ blockReadBytes: 4196, blockWriteBytes: 512 });
  });

  test('of version 1 that list no device know nothing of block bytes: such a kernel may count none', () => {
    const blkio = cgroupDir({ 'blkio.throttle.io_service_bytes_recursive': 'Total 0\n' });
    expect(openCgroupV1({ blkio }).readBlockBytes()).toEqual({ blockReadBytes: undefined, blockWriteBytes: undefined });
    expect(openCgroupV2(cgroupDir({ 'io.stat': '' })).readBlockBytes()).toEqual({
      blockReadBytes: 0,
      blockWriteBytes: 0,
    });
  });

  test('of version 1 without limits read as none', () => {
    const cpu = cgroupDir({ 'cpu.cfs_quota_us': '-1\n', 'cpu.cfs_period_us': '100000\n' });
    const memory = cgroupDir({ 'memory.limit_in_bytes': '9223372036854771712\n' });
    expect(openCgroupV1({ cpu, memory }).readLimits()).toEqual({});
  });

  test('that are gone or torn give nothing, never 0', () => {
    for (const files of [
      openCgroupV2('/nowhere'),
      openCgroupV1({}),
      openCgroupV2(cgroupDir({ 'cpu.stat': 'usage_us' })),
    ]) {
      expect(files.readLimits()).toEqual({});
      expect(files.readCpuTimeUs()).toBeUndefined();
      expect(files.readBlockBytes()).toEqual({ blockReadBytes: undefined, blockWriteBytes: undefined });
      expect(files.readThrottledUs()).toBeUndefined();
      expect(files.readOomKills()).toBeUndefined();
      expect(files.readPids()).toEqual([]);
    }
  });
});

describe('the cgroup hierarchies', () => {
  const root = mkdtempSync(join(tmpdir(), 'dse-mounts-'));
  afterAll(() => rmSync(root, { recursive: true }));
  for (const dir of ['v2/user.slice/app', 'cpu,cpuacct/job', 'memory']) mkdirSync(join(root, dir), { recursive: true });

  test('of version 2 are found with this process in them', () => {
    const mountinfo = `30 23 0:26 / ${root}/v2 rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`;
    expect(findCgroupMounts(mountinfo, '0::/user.slice/app\n')).toMatchObject([
      { version: 2, controllers: [], root: `${root}/v2`, own: `${root}/v2/user.slice/app` },
    ]);
  });

  test('of version 1 are found by controller', () => {
    const mountinfo =
      `31 23 0:29 / ${root}/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n` +
      `32 23 0:30 / ${root}/memory rw - cgroup cgroup rw,memory\n33 23 0:31 / /proc rw - proc proc rw\n`;
    expect(findCgroupMounts(mountinfo, '5:cpu,cpuacct:/job\n6:memory:/\n')).toMatchObject([
      { version: 1, controllers: expect.arrayContaining(['cpu', 'cpuacct']), own: `${root}/cpu,cpuacct/job` },
      { version: 1, controllers: expect.arrayContaining(['memory']), own: `${root}/memory` },
    ]);
  });

  test('of a container, where the mount shows only its own part, start at the mount', () => {
    const mountinfo = `30 23 0:26 /docker/abc ${root}/v2 ro - cgroup2 cgroup rw\n`;
    expect(findCgroupMounts(mountinfo, '0::/docker/abc/user.slice/app\n')[0]?.own).toBe(`${root}/v2/user.slice/app`);
    expect(findCgroupMounts(mountinfo, '0::/docker/elsewhere\n')[0]?.own).toBe(`${root}/v2`);
  });

  test('are none where nothing is mounted', () => {
    expect(findCgroupMounts('', '')).toEqual([]);
  });
});
