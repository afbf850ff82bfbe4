import { execa } from 'execa';
import { LaunchError } from '../errors.ts';
import { monotonicNs } from '../units.ts';
import type { GroupFiles } from './group.ts';
import { readPeakResidentBytes, readProcessStat, readProcessTree, resetPeakResident } from './proc.ts';
import type { ResourceUsage } from './types.ts';

/**
 * What a native server has used since it started.
 *
 * CPU time comes from the server's cgroup where it has one of its own, else from /proc (steps of 10 ms), else (macOS) from `ps`. Peak memory is the sum of the highest
 * resident sets (VmHWM) of its processes, on every mechanism the same: a cgroup's own peak also counts the page cache of files read, and so falls from the
 * first launch of a model to the second. Network bytes are undefined: a native server shares the host's network namespace, and /proc/PID/io counts file
 * reads and wake-ups along with sockets; the generator counts the bytes of its own connections exactly. Block bytes come from the cgroup alone.
 * @throws LaunchError where the server is gone and with it its counters
 */
export async function readNativeUsage(pid: number, files: GroupFiles | undefined): Promise<ResourceUsage> {
  const tree = readProcessTree(pid);
  const beforeNs = monotonicNs();
  const cpuTimeUs = files?.readCpuTimeUs() ?? (await readProcessCpuTimeUs(pid, tree));
  const afterNs = monotonicNs();
  if (cpuTimeUs === undefined) {
    throw new LaunchError({
      what: `the server's process ${pid} is gone, and its CPU time with it`,
      hint: 'Its log tells how it ended.',
    });
  }
  return {
    atNs: (beforeNs + afterNs) / 2,
    cpuTimeUs,
    throttledUs: files?.readThrottledUs(),
    memoryPeakBytes: sumDefined(tree.map(readPeakResidentBytes)),
    networkRxBytes: undefined,
    networkTxBytes: undefined,
    ...(files?.readBlockBytes() ?? { blockReadBytes: undefined, blockWriteBytes: undefined }),
  };
}

/** Makes peak memory count from now. False where this machine cannot: the peak then goes on counting from the start. */
export function resetNativeMemoryPeak(pid: number): boolean {
  const tree = readProcessTree(pid);
  return tree.length > 0 && tree.every(resetPeakResident);
}

async function readProcessCpuTimeUs(pid: number, tree: readonly number[]): Promise<number | undefined> {
  if (process.platform !== 'linux') return readPsCpuTimeUs(pid);
  return sumDefined(tree.map((one) => readProcessStat(one)?.cpuTimeUs));
}

async function readPsCpuTimeUs(pid: number): Promise<number | undefined> {
  const { stdout, failed } = await execa('ps', ['-o', 'time=', '-p', `${pid}`], { reject: false });
  return failed ? undefined : parsePsTimeUs(stdout);
}

/** CPU time as `ps -o time` prints it, `[[days-]hours:]minutes:seconds[.hundredths]`, in microseconds; undefined where it is no such text. */
export function parsePsTimeUs(text: string): number | undefined {
  const match = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1e6;
}

/** The sum of what could be read; undefined where nothing could. */
function sumDefined(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}
