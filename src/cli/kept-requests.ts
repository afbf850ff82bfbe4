import { readFileSync } from 'node:fs';
import type { ReplicateRequests } from '../analysis/index.ts';
import { readLatenciesMs } from '../load/index.ts';
import { type Cell, histogramPath, type Results } from '../store/index.ts';

/**
 * The requests of one trial, from the histogram that its result folder keeps; undefined where the folder does not hold it, or does not say how loaded the server was.
 *
 * @param row - of the folder's `trials.csv`
 */
export function readKeptRequests(
  row: Readonly<Record<string, Cell>>,
  { outDir, manifest }: Pick<Results, 'outDir' | 'manifest'>,
): ReplicateRequests | undefined {
  const load = manifest.spec.loads[String(row.load)];
  if (load === undefined) return undefined;
  const text = readIfThere(histogramPath(outDir, String(row.trial_id), 'latency', Number(row.attempt)));
  if (text === undefined) return undefined;
  const described = describeLoad();
  return described && { latenciesMs: readLatenciesMs(text), load: described };

  function describeLoad(): ReplicateRequests['load'] | undefined {
    if (load?.kind === 'concurrency') return { kind: 'closed', concurrency: load.concurrency };
    if (load?.pattern !== undefined) return 'changing';
    // A backlog that grew shows an overload, whatever the calibration said.
    if (row.verdict === 'overloaded') return { kind: 'open', utilization: 1 };
    // Without a capacity nothing tells how strongly latencies depend on each other.
    if (typeof row.offered_rps !== 'number' || typeof row.capacity_rps !== 'number') return undefined;
    return { kind: 'open', utilization: row.offered_rps / row.capacity_rps };
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
