import { readFile } from 'node:fs/promises';
import { type Analysis, minimumSample } from '../analysis/index.ts';
import { createLatencyHistogram, decodeHistogram, readPercentileMs } from '../load/index.ts';
import type { LatencyCurve } from '../report/index.ts';
import { LOAD_FACTORS } from '../spec/index.ts';
import { histogramPath, type Results } from '../store/index.ts';

/** Server configurations whose distributions are read; more would neither be looked at nor fit on a page. */
const MAX_SERVERS = 6;
const SHARES = [
  ...Array.from({ length: 18 }, (_, index) => Number((0.05 * (index + 1)).toFixed(2))),
  ...[0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999],
];

/**
 * The latency distributions of the server configurations that have most points on the front, from their trials' histograms.
 *
 * Replicates are added up; a histogram that is not there is passed over.
 */
export async function readLatencyCurves(analysis: Analysis, results: Results): Promise<LatencyCurve[]> {
  const curves: LatencyCurve[] = [];
  for (const configurations of chooseServers(analysis)) {
    for (const configuration of configurations) {
      const curve = await readCurve(rowsOf(analysis, configuration), results);
      if (curve !== undefined) curves.push(curve);
    }
  }
  return curves;
}

/** Configurations by server configuration (all factors but the load), those with most of them on the front first. */
function chooseServers({ configurations, fronts }: Analysis): number[][] {
  const all = fronts.find(({ name }) => name === 'all');
  const others = configurations.factors.flatMap((factor, index) => (LOAD_FACTORS.includes(factor) ? [] : [index]));
  const servers = new Map<string, { readonly members: number[]; onFront: number }>();
  for (let configuration = 0; configuration < configurations.count; configuration++) {
    if (configurations.offsets[configuration] === configurations.offsets[configuration + 1]) continue;
    const key = others.map((index) => configurations.codes[index]?.[configuration]).join();
    const server = servers.get(key) ?? { members: [], onFront: 0 };
    servers.set(key, server);
    server.members.push(configuration);
    server.onFront += all?.onFront[configuration] ?? 0;
  }
  return [...servers.values()]
    .sort((a, b) => b.onFront - a.onFront)
    .slice(0, MAX_SERVERS)
    .map(({ members }) => members);
}

function rowsOf({ configurations: { offsets, rows } }: Analysis, configuration: number): Int32Array {
  return rows.subarray(offsets[configuration], offsets[configuration + 1]);
}

/** One curve over all of the rows that have a histogram. */
async function readCurve(rows: Int32Array, { outDir, rows: table }: Results): Promise<LatencyCurve | undefined> {
  const total = createLatencyHistogram();
  const trialIds: string[] = [];
  for (const index of rows) {
    const { trial_id, attempt } = table[index] ?? {};
    const text = await readIfThere(histogramPath(outDir, String(trial_id), 'latency', Number(attempt)));
    if (text === undefined) continue;
    total.add(decodeHistogram(text.trim()));
    trialIds.push(String(trial_id));
  }
  const [trialId] = trialIds;
  const requests = total.totalCount;
  if (trialId === undefined || requests === 0) return undefined;
  return {
    trialId,
    trials: trialIds.length,
    requests,
    points: SHARES.filter((share) => requests >= minimumSample(share)).map((share) => ({
      share,
      latencyMs: readPercentileMs(total, share * 100),
    })),
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
