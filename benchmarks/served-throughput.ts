/**
 * Throughput of the server as a share of a bare onnxruntime loop on the same CPU.
 *
 * SqueezeNet 1.1, batch 1, one thread, no spinning, rest-binary. The loop and the server take turns on CPU 0; the load, a closed loop over a few kept-alive
 * connections, runs in this process on CPU 1. One line a round, then the median ratio against its limit; ends with 1 where it is missed.
 * `cpu` is the same ratio in CPU time per inference, which other work on the machine disturbs less.
 *
 * Needs Linux (taskset), two CPUs and a build (`npm run build`). Usage: served-throughput.ts [seconds a turn, 5] [rounds, 5]
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EngineSettings } from '../src/engine/index.ts';
import { sessionOptions } from '../src/engine/session.ts';
import { encodeInferRequest } from '../src/kserve/index.ts';
import { type NamedTensor, type ResolvedModel, resolveModel } from '../src/models/index.ts';
import { compiledEntry } from '../src/package-files.ts';
import type { ListeningLine, ServerSettings } from '../src/server/index.ts';

const LIMIT = 0.95;
const SERVER_CPU = '0';
const LOAD_CPU = '1';
const CONNECTIONS = 2;
const WARMUP_RUNS = 50;
/** Set for the child process that runs the bare loop: seconds of it, and the model's file. */
const BARE_LOOP = 'DSE_BENCHMARK_BARE_LOOP';

const engine: EngineSettings = {
  intraOpThreads: 1,
  interOpThreads: 1,
  executionMode: 'sequential',
  graphOptimization: 'all',
  spinning: false,
};

interface Throughput {
  readonly perSecond: number;
  readonly cpuMsEach: number;
}

const bareLoop = process.env[BARE_LOOP];
if (bareLoop !== undefined) {
  const { seconds, file } = JSON.parse(bareLoop) as { seconds: number; file: string };
  console.log(JSON.stringify(await runBareLoop(seconds, file)));
} else {
  const [seconds = 5, rounds = 5] = process.argv.slice(1).filter(isNumber).map(Number);
  process.exitCode = await compare(seconds, rounds);
}

async function compare(seconds: number, rounds: number): Promise<number> {
  const cacheDir = join(tmpdir(), 'dse-benchmarks');
  const model = await resolveModel('squeezenet1.1', 'fp32', { baseDir: process.cwd(), cacheDir });
  execFileSync('taskset', ['-a', '-c', '-p', LOAD_CPU, String(process.pid)], { stdio: 'ignore' });
  const server = await startServer(model);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const bare = await measureBareLoop(seconds, model.file);
    const served = await measureServed(seconds, server, model);
    const ratio = served.perSecond / bare.perSecond;
    ratios.push(ratio);
    console.log(
      `round ${round}: bare ${bare.perSecond.toFixed(1)}/s, served ${served.perSecond.toFixed(1)}/s, ratio ${ratio.toFixed(3)}, cpu ${(bare.cpuMsEach / served.cpuMsEach).toFixed(3)}`,
    );
  }
  server.process.kill('SIGTERM');
  await once(server.process, 'exit');
  const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0;
  console.log(`served throughput: ${median.toFixed(3)} of bare onnxruntime (limit ${LIMIT})`);
  return median >= LIMIT ? 0 : 1;
}

async function runBareLoop(seconds: number, file: string): Promise<Throughput> {
  const session = await InferenceSession.create(file, sessionOptions(engine));
  const { name, shape, data } = sampleInput({ name: String(session.inputNames[0]) });
  const feeds = { [name]: new Tensor('float32', data as Float32Array, shape) };
  for (let i = 0; i < WARMUP_RUNS; i++) await session.run(feeds);
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  let runs = 0;
  for (; performance.now() - start < 1e3 * seconds; runs++) await session.run(feeds);
  const elapsedS = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: runs / elapsedS, cpuMsEach: (user + system) / 1e3 / runs };
}

async function measureBareLoop(seconds: number, file: string): Promise<Throughput> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('taskset', ['-c', SERVER_CPU, ...again], {
    env: { ...process.env, [BARE_LOOP]: JSON.stringify({ seconds, file }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await firstLine(child)) as Throughput;
}

interface ServerUnderLoad {
  readonly process: ChildProcess;
  readonly url: string;
}

async function startServer(model: ResolvedModel): Promise<ServerUnderLoad> {
  const settings: ServerSettings = {
    models: [{ name: 'squeezenet', file: model.file, engine }],
    host: '127.0.0.1',
    port: 0,
    exitOnStdinEnd: true,
  };
  const command = ['-c', SERVER_CPU, process.execPath, compiledEntry('server/main'), JSON.stringify(settings)];
  const child = spawn('taskset', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const { url } = JSON.parse(await firstLine(child)) as ListeningLine;
  return { process: child, url };
}

async function measureServed(seconds: number, server: ServerUnderLoad, model: ResolvedModel): Promise<Throughput> {
  const { headers, body } = encodeInferRequest('rest-binary', [sampleInput(model.inputs[0] ?? { name: '' })]);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const url = `${server.url}/v2/models/squeezenet/infer`;
  const send = () =>
    new Promise<void>((resolve, reject) => {
      const request = httpRequest(url, { method: 'POST', agent, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`the server answered ${response.statusCode}`));
        response.on('end', resolve).resume();
      });
      request.on('error', reject).end(body);
    });
  for (let i = 0; i < WARMUP_RUNS; i++) await send();

  let answered = 0;
  let isOver = false;
  const loops = Array.from({ length: CONNECTIONS }, async () => {
    while (!isOver) {
      await send();
      answered++;
    }
  });
  await sleep(100); // until the loop is closed: a request waits whenever one is answered
  const cpuBefore = cpuTimeMs(server.process.pid);
  const start = performance.now();
  const before = answered;
  await sleep(1e3 * seconds);
  const count = answered - before;
  const elapsedS = (performance.now() - start) / 1e3;
  const cpuMs = cpuTimeMs(server.process.pid) - cpuBefore;
  isOver = true;
  await Promise.all(loops);
  agent.destroy();
  return { perSecond: count / elapsedS, cpuMsEach: cpuMs / count };
}

/** An image of noise that is the same in every run. */
function sampleInput({ name }: { readonly name: string }): NamedTensor {
  const shape = [1, 3, 224, 224];
  return { name, type: 'float32', shape, data: Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i)) };
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> }), 'line');
  return line as string;
}

/** CPU time of a process so far, milliseconds in steps of 10. Source: proc(5), /proc/[pid]/stat, fields 14 and 15. */
function cpuTimeMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
