import { execaSync } from 'execa';
import { expect, test } from 'vitest';
import { readResults } from '../../src/store/index.ts';
import { dse, scratchFolder } from '../cli/dse.ts';

/** One server with a neighbour that has limits of its own; short, because it is the limits and what is left that count. */
const SPEC = `
name: limited
factors:
  load: [one, two]
fixed:
  model: mnist-cnn
  memory: 600MB
  gateway: on
  colocated: { name: limited, model: mnist-cnn, threads: 1, cpus: 0.5, memory: 400MB, load: { rate: 20 } }
loads: { one: { rate: 20 }, two: { rate: 30 } }
measure: { warmup: 200ms, window: 500ms, windows: 1, calibration: 500ms, idle_gate: 0s }
energy: { source: none }
objectives: [{ minimize: latency_mean_ms }]
`;

const cannotLimit =
  process.platform !== 'linux' || process.getuid?.() !== 0 ? 'limits need root on Linux here' : undefined;

/** Processes that carry the label of the run of one dse process: its servers and neighbours. */
function processesOf(dsePid: number | undefined): string[] {
  const label = `^DSE_RUN=[0-9a-f]{8}-${dsePid}-`;
  const { stdout } = execaSync('sh', ['-c', `grep -lzE "${label}" /proc/[0-9]*/environ 2>/dev/null || true`]);
  return stdout.split('\n').filter((line) => line !== '');
}

test('the limits of a real neighbour are applied and read back, and it is measured beside a real server', {
  timeout: 90_000,
}, async ({ skip }) => {
  if (cannotLimit !== undefined) skip(cannotLimit);
  await using scratch = await scratchFolder();
  await scratch.file('limited.yaml', SPEC);
  const { exitCode, stderr } = await dse(['run', 'limited.yaml', '--reporter', 'plain'], { cwd: scratch.dir });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { records } = await readResults(`${scratch.dir}/results/limited`);
  expect(records).toHaveLength(2);
  for (const record of records) {
    if (record.state !== 'done') throw new Error(record.reason);
    const [neighbour] = record.neighbours ?? [];
    expect(neighbour?.applied).toMatchObject({ cpus: 0.5 });
    expect(neighbour?.applied?.cpuset).toBe(record.applied.cpuset);
    expect(record.responses.gateway_cpuset).toBe(record.applied.cpuset);
    expect(Number(record.responses.accuracy_top1)).toBeGreaterThan(0.5);
    // The kernel rounds down to whole pages.
    expect(Number(neighbour?.applied?.memoryBytes) / 400e6).toBeCloseTo(1, 3);
    expect(Number(neighbour?.responses.achieved_rps)).toBeGreaterThan(0);
    expect(Number(neighbour?.responses.memory_peak_mb)).toBeGreaterThan(10);
    expect(Number(neighbour?.responses.accuracy_top1)).toBeGreaterThan(0.5);
  }
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  'a run that is ended by %s leaves no neighbour that dse clean does not remove',
  {
    timeout: 90_000,
  },
  async (signal) => {
    await using scratch = await scratchFolder();
    const spec = SPEC.replace(/cpus: 0.5, memory: 400MB, /, '').replace('  memory: 600MB\n', '');
    await scratch.file(
      'limited.yaml',
      spec.replace('window: 500ms', 'window: 60s').replace('warmup', 'max: 60s, warmup'),
    );
    const running = dse(['run', 'limited.yaml', '--reporter', 'jsonl'], { cwd: scratch.dir });
    await new Promise<void>((resolve, reject) => {
      running.stdout.on('data', (text: Buffer) => text.includes('"phase":"measure"') && resolve());
      running.finally(() => reject(new Error('the run ended before it measured')));
    });
    // The server, its neighbour and the gateway.
    expect(processesOf(running.pid).length).toBeGreaterThanOrEqual(3);
    running.kill(signal);
    await running;
    await dse(['clean']);
    expect(processesOf(running.pid)).toEqual([]);
  },
);
