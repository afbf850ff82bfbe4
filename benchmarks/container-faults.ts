/**
 * What each fault of a container, its engine or its run leaves behind, and what is left after `dse clean`; and limits as they were asked and as they were read back, on every engine.
 *
 * Each fault is provoked for real on an engine that works here. Left behind is what `dse clean --dry-run` would find of that run: containers, processes, cgroups, folders. A row
 * whose last column is not "nothing" is marked, and ends this with 1.
 *
 * Needs Linux, root, a build (`npm run build`) and an engine; the image that the fixture server runs in is DSE_BASE_IMAGE. Usage: container-faults.ts [engine, all]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { messageOf } from '../src/errors.ts';
import {
  createContainerLauncher,
  createNativeLauncher,
  createRunLabel,
  describeLeftover,
  ensureServerImage,
  findLeftovers,
  type Launcher,
  type LaunchRequest,
  type Limits,
  onlineCpus,
  type RunningServer,
  removeLeftovers,
} from '../src/launch/index.ts';
import { packageFile } from '../src/package-files.ts';
import type { ServerSettings } from '../src/server/types.ts';
import { PLAIN_ENGINE } from './serving-rig.ts';

type Behaviour = 'well' | 'eats-memory' | 'ignores-stdin';
type ContainerEngine = 'docker' | 'podman';
type Fault = (engine: ContainerEngine) => Promise<{ readonly runLabel: string; readonly said: string }>;

const IMAGE = process.env.DSE_BASE_IMAGE ?? 'dse-test-base';
const FIXTURES = packageFile('test/launch');
const MB = 2 ** 20;
const signal = new AbortController().signal;
const scratch = mkdtempSync(join(tmpdir(), 'dse-container-faults-'));
const only = process.argv[2];

const command = (settings: ServerSettings) => [
  'node',
  '--expose-gc',
  '/fixture/fixture-server.mjs',
  JSON.stringify(settings),
];
const options = { image: IMAGE, command, engineArgs: [`--volume=${FIXTURES}:/fixture:ro`] };

const FAULTS: Readonly<Record<string, Fault>> = {
  'container killed in its window': async (engine) => {
    const { server, runLabel } = await startFixture(engine, 'well');
    await execa(engine, ['kill', await containerOf(engine, runLabel)]);
    const said = describeExit(await server.exited);
    await server[Symbol.asyncDispose]();
    return { runLabel, said };
  },
  'out of memory': async (engine) => {
    const { server, runLabel } = await startFixture(engine, 'well', { memoryBytes: 150 * MB });
    await fetch(`${server.url}/allocate?n=400`).catch(() => {});
    const said = describeExit(await server.exited);
    await server[Symbol.asyncDispose]();
    return { runLabel, said };
  },
  'port taken': async (engine) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const port = (other.address() as { port: number }).port;
    const result = await failToStart(engine, requestFor('well', {}, port));
    other.close();
    return result;
  },
  'name clash': async (engine) => {
    const name = `dse-fault-clash-${process.pid}`;
    await execa(engine, ['create', `--name=${name}`, IMAGE, 'true']);
    const clashing = { ...options, engineArgs: [`--name=${name}`] };
    const result = await failToStart(engine, requestFor('well'), createContainerLauncher(engine, clashing));
    await execa(engine, ['rm', '--force', name]);
    return result;
  },
  'image build failing': async (engine) => {
    const baseImage = 'localhost:1/dse-no-such-base:1';
    const failure = await ensureServerImage({ engine }, { baseImage, signal, onProgress: () => {} }).catch(messageOf);
    return { runLabel: createRunLabel(), said: firstLine(String(failure)) };
  },
  'a million log lines': async (engine) => {
    const { server, runLabel, logFile } = await startFixture(engine, 'well');
    await fetch(`${server.url}/log?n=1000000`);
    // The engine may still be passing on what the server has said.
    for (let before = -1; before < statSync(logFile).size; await sleep(1_000)) before = statSync(logFile).size;
    await server[Symbol.asyncDispose]();
    return { runLabel, said: `the log holds ${(statSync(logFile).size / MB).toFixed(1)} MB` };
  },
  'dse killed (kill -9)': async (engine) => {
    const request = requestFor('ignores-stdin');
    const args = [request, command(request.settings).slice(0, -1), options].map((value) => JSON.stringify(value));
    const parent = execa(
      process.execPath,
      [join(FIXTURES, 'fixture-parent.mjs'), packageFile('dist/launch/index.js'), engine, ...args],
      {
        ...{ reject: false, buffer: false, stdin: 'ignore' },
      },
    );
    const line = await new Promise<string>((resolve) => parent.stdout.setEncoding('utf8').once('data', resolve));
    parent.kill('SIGKILL');
    await parent;
    return { runLabel: (JSON.parse(line) as { runLabel: string }).runLabel, said: '(dead)' };
  },
  'engine missing': async (engine) => {
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    const [problem] = await createContainerLauncher(engine).check([{}]);
    process.env.PATH = path;
    return { runLabel: createRunLabel(), said: problem?.what ?? 'nothing' };
  },
};

let isMissed = false;
const engines: ContainerEngine[] = [];
for (const engine of (['docker', 'podman'] as const).filter((one) => only === undefined || one === only)) {
  const [problem] = await createContainerLauncher(engine).check([{}]);
  if (problem === undefined) engines.push(engine);
  else console.log(`${engine}: not tried, ${problem.what}`);
}
console.log('| engine | fault | what dse said | left behind | after dse clean |\n|---|---|---|---|---|');
for (const engine of engines) {
  for (const [name, provoke] of Object.entries(FAULTS)) await report(engine, name, provoke);
}
console.log('\n| engine | limit | asked | read back |\n|---|---|---|---|');
const native = createNativeLauncher({
  command: (settings) => [
    process.execPath,
    '--expose-gc',
    join(FIXTURES, 'fixture-server.mjs'),
    JSON.stringify(settings),
  ],
});
for (const launcher of [native, ...engines.map((engine) => createContainerLauncher(engine, options))])
  await readBack(launcher);
rmSync(scratch, { recursive: true, force: true });
process.exitCode = isMissed ? 1 : 0;

async function report(engine: ContainerEngine, name: string, provoke: Fault): Promise<void> {
  const { runLabel, said } = await provoke(engine);
  const left = await leftOf(runLabel);
  await removeLeftovers(left);
  const after = await leftOf(runLabel);
  if (after.length > 0) isMissed = true;
  console.log(
    `| ${engine} | ${name} | ${said} | ${listOf(left)} | ${listOf(after)}${after.length > 0 ? ' MISSED' : ''} |`,
  );
}

async function readBack(launcher: Launcher): Promise<void> {
  const asked: Limits = { cpuset: `${onlineCpus()[0]}`, cpus: 0.5, memoryBytes: 256 * MB };
  const [problem] = await launcher.check([asked]);
  if (problem !== undefined) {
    console.log(`| ${launcher.engine} | all | not tried: ${problem.what} | |`);
    return;
  }
  await using server = await launcher.start({ ...requestFor('well'), limits: asked }, signal);
  for (const limit of Object.keys(asked) as (keyof Limits)[]) {
    const isSame = server.applied[limit] === asked[limit];
    if (!isSame) isMissed = true;
    console.log(
      `| ${launcher.engine} (${server.mechanism}) | ${limit} | ${asked[limit]} | ${server.applied[limit]}${isSame ? '' : ' MISSED'} |`,
    );
  }
}

function requestFor(behaviour: Behaviour, limits: Limits = {}, port = 0): LaunchRequest {
  const runLabel = createRunLabel();
  const settings = { models: [{ name: behaviour, file: '', engine: PLAIN_ENGINE }], host: '127.0.0.1', port };
  return { runLabel, settings, limits, logFile: join(scratch, `${runLabel}.log`), readyTimeoutMs: 15_000 };
}

async function startFixture(
  engine: ContainerEngine,
  behaviour: Behaviour,
  limits: Limits = {},
): Promise<{ readonly server: RunningServer; readonly runLabel: string; readonly logFile: string }> {
  const request = requestFor(behaviour, limits);
  const server = await createContainerLauncher(engine, options).start(request, signal);
  return { server, runLabel: request.runLabel, logFile: request.logFile };
}

async function failToStart(
  engine: ContainerEngine,
  request: LaunchRequest,
  launcher = createContainerLauncher(engine, options),
) {
  const failure = await launcher.start(request, signal).then(() => 'it started', messageOf);
  // What is behind an end may stand in a later line than that it ended.
  const cause = /Port \d+ of \S+ is taken/.exec(failure)?.[0];
  return { runLabel: request.runLabel, said: cause ?? firstLine(failure) };
}

async function containerOf(engine: ContainerEngine, runLabel: string): Promise<string> {
  return (await execa(engine, ['ps', '--quiet', `--filter=label=dse.run=${runLabel}`])).stdout.trim();
}

function leftOf(runLabel: string) {
  return findLeftovers((label) => label !== runLabel);
}

function listOf(left: Awaited<ReturnType<typeof leftOf>>): string {
  return left.length === 0 ? 'nothing' : left.map(describeLeftover).join(', ');
}

function describeExit({ signal, exitCode, isOomKilled }: Awaited<RunningServer['exited']>): string {
  const how = signal === undefined ? `exit code ${exitCode}` : signal;
  return isOomKilled ? `${how}, oom-killed` : how;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
