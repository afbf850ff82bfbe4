import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { concatRecords } from '../../src/load/index.ts';
import type { LoadDriver, LoadTarget, OfferedLoad, Outcome, RequestRecords } from '../../src/load/types.ts';
import { OUTCOME } from '../../src/load/types.ts';

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Kills it at once, leaving its connections to break. */
  kill(): Promise<void>;
}

/** Starts one of the servers of this folder in a process of its own; it ends with its standard input, so it cannot outlive the tests. */
export async function startTestServer(
  name: 'fixed-service' | 'fixed-service-grpc' | 'fixed-service-rest' | 'moody',
  args: readonly number[],
  cpuset?: string,
): Promise<TestServer> {
  const script = fileURLToPath(new URL(`./servers/${name}.mjs`, import.meta.url));
  const node = [process.execPath, script, ...args.map(String)];
  const [command = '', ...rest] = cpuset === undefined ? node : ['taskset', '-c', cpuset, ...node];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  return {
    url,
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await closed;
    },
  };
}

export function httpTarget(url: string, body?: Uint8Array): LoadTarget {
  return { kind: 'http', url, method: body === undefined ? 'GET' : 'POST', headers: {}, body };
}

/** Offers a load for so many seconds and returns all its records. */
export async function offer(driver: LoadDriver, load: OfferedLoad, seconds: number): Promise<RequestRecords> {
  const batches: RequestRecords[] = [];
  const run = await driver.start(load, (records) => batches.push(records));
  await sleep(seconds * 1000);
  await run.stop();
  return concatRecords(batches);
}

export function countOutcomes(records: RequestRecords): Readonly<Partial<Record<Outcome, number>>> {
  const names = Object.fromEntries(Object.entries(OUTCOME).map(([name, code]) => [code, name])) as Record<
    number,
    Outcome
  >;
  const counts: Partial<Record<Outcome, number>> = {};
  for (const code of records.outcome) {
    const name = names[code];
    if (name === undefined) throw new Error(`unknown outcome ${code}`);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
