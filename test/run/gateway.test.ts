import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { expect } from 'vitest';
import { test } from './folder-fixture.ts';
import { runOnKnownServer } from './known-run.ts';

const SERVICE_MS = 20;

/** A server and a neighbour behind one gateway, under constant loads that never make a request wait. */
const SPEC = `
name: front
factors: { load: [steady, slow] }
fixed:
  model: mnist-cnn
  gateway: on
  colocated: { name: beside, model: mnist-cnn, load: { rate: 20, arrivals: constant } }
loads: { steady: { rate: 25, arrivals: constant }, slow: { rate: 20, arrivals: constant } }
measure: { warmup: 100ms, window: 500ms, windows: 1, calibration: 200ms, idle_gate: 0s }
energy: { source: none }
objectives: [ { minimize: latency_mean_ms } ]
`;

/** Where the last gateway that was started listens, as its log has it. */
function addressIn(logs: string): string {
  const [log = ''] = readdirSync(logs).filter((name) => name.includes('.gateway'));
  return /"url":"([^"]+)"(?!.*"url")/s.exec(readFileSync(path.join(logs, log), 'utf8'))?.[1] ?? '';
}

test('a sweep sends all through its gateway, and fails the trial in which that dies, with a new one for the next', {
  timeout: 60_000,
}, async ({ folder }) => {
  let killed: string | undefined;
  let metrics: Promise<string> | undefined;
  const { records } = await runOnKnownServer(folder, SPEC, {
    serviceMs: SERVICE_MS,
    onEvent(event) {
      if (event.type !== 'trial-phase') return;
      if (event.phase === 'measure' && killed === undefined) {
        killed = execaSync('sh', ['-c', `pgrep -P ${process.pid} -f "[g]ateway/main"`]).stdout;
        process.kill(Number(killed), 'SIGKILL');
      } else if (event.phase === 'drain') {
        metrics = fetch(`${addressIn(path.join(folder, 'results', 'logs'))}/metrics`).then((answer) => answer.text());
      }
    },
  });
  expect(records).toHaveLength(2);
  const [first, second] = records.toSorted((a, b) => a.runOrder - b.runOrder);
  expect(first).toMatchObject({ state: 'failed', phase: 'measure' });
  expect(first).toHaveProperty('reason', expect.stringContaining('the gateway was ended by SIGKILL'));

  if (second?.state !== 'done') throw new Error(`no measured trial: ${JSON.stringify(second)}`);
  const { responses, neighbours, applied } = second;
  expect(responses).toMatchObject({ error_count: 0, ok_count: responses.requests, gateway_cpuset: applied.cpuset });
  expect(Number(responses.latency_p50_ms ?? responses.latency_mean_ms)).toBeGreaterThan(SERVICE_MS);
  expect(Number(responses.compute_ms)).toBeCloseTo(SERVICE_MS, 3);
  expect(Number(responses.gateway_cpu_util)).toBeGreaterThan(0);
  const text = await metrics;
  const answered = (model: string) =>
    Number(
      new RegExp(`^dse_gateway_requests_total\\{model="${model}".*status="200"\\} (\\d+)`, 'm').exec(`${text}`)?.[1],
    );
  expect(answered('mnist-cnn')).toBeGreaterThanOrEqual(Number(responses.ok_count));
  expect(answered('neighbour-beside')).toBeGreaterThanOrEqual(Number(neighbours?.[0]?.responses.ok_count));
});
