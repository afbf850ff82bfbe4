import { readlinkSync } from 'node:fs';
import type { GroupFiles } from '../group.ts';
import { readIfThere } from '../proc.ts';
import type { ResourceUsage } from '../types.ts';
import { readNativeUsage } from '../usage.ts';

/**
 * What a container has used since it started: CPU and throttled time from its cgroup, network bytes from its own network namespace where it has one.
 *
 * Peak memory is that of its processes, counted as for native servers (see `usage.ts`), so that a figure means the same on every engine; a cgroup's own peak also
 * counts the page cache. With host networking the container has no counters of its own, and network bytes are undefined.
 */
export async function readContainerUsage(pid: number, files: GroupFiles): Promise<ResourceUsage> {
  return { ...(await readNativeUsage(pid, files)), ...readNetworkBytes(pid) };
}

function readNetworkBytes(pid: number): Pick<ResourceUsage, 'networkRxBytes' | 'networkTxBytes'> {
  const table = hasOwnNetwork(pid) ? readIfThere(`/proc/${pid}/net/dev`) : undefined;
  if (table === undefined) return { networkRxBytes: undefined, networkTxBytes: undefined };
  return sumNetworkBytes(table);
}

function hasOwnNetwork(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net');
  } catch {
    return false;
  }
}

/** Received and sent bytes over all interfaces but loopback. Source: proc_pid_net(5), /proc/PID/net/dev: receive bytes first, transmit bytes ninth. */
export function sumNetworkBytes(table: string): { networkRxBytes: number; networkTxBytes: number } {
  let networkRxBytes = 0;
  let networkTxBytes = 0;
  for (const line of table.split('\n')) {
    const [, name, values] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || name === 'lo') continue;
    const fields = (values ?? '').trim().split(/\s+/).map(Number);
    networkRxBytes += fields[0] ?? 0;
    networkTxBytes += fields[8] ?? 0;
  }
  return { networkRxBytes, networkTxBytes };
}
