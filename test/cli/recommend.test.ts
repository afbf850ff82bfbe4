import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { recommend } from '../../src/cli/commands/recommend.ts';
import { describeContainer } from '../../src/cli/container-deployment.ts';
import { serverImageTag } from '../../src/launch/index.ts';
import { describeDeployment } from '../../src/report/index.ts';
import type { ExperimentSpec } from '../../src/spec/types.ts';
import type { Results } from '../../src/store/index.ts';
import { manifestInput, spec } from '../store/examples.ts';
import { dse, scratchFolder } from './dse.ts';

const TABLE = `threads,load,latency_ms,energy_j
1,light,9,1
2,light,5,2
1,high,30,1
2,high,12,2
`;

test('each load has its recommendation; exit code 1 where one of them has none', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', TABLE);
  const ask = [
    'recommend',
    'table.csv',
    '--factors',
    'threads,load',
    '--minimize',
    'energy_j',
    '--where',
    'latency_ms<=10',
  ];
  const both = await dse(ask, { cwd: scratch.dir });
  expect(both.stdout).toContain('Recommended at load=light: threads=1 load=light\n');
  expect(both.stdout).toContain('No configuration meets every constraint at load=high.\n');
  expect(both.stdout).toContain('Closest: threads=2 load=high; latency_ms is 12, <= 10 was asked.');
  expect(both.exitCode).toBe(1);
  const light = await dse([...ask, '--at', 'load=light', '--json'], { cwd: scratch.dir });
  expect(light.exitCode).toBe(0);
  expect(JSON.parse(light.stdout).recommendations).toMatchObject([
    { at: { load: 'light' }, choice: { configuration: { threads: '1', load: 'light' }, value: 1, held: [9] } },
  ]);
});

test('a table in which every configuration is as good as any other says that nothing tells them apart', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', 'threads,latency_ms,energy_j\n1,5,1\n2,5,1\n3,5,1\n');
  const table = ['table.csv', '--factors', 'threads', '--minimize'];
  const chosen = await dse(['recommend', ...table, 'latency_ms', '--format', 'markdown'], { cwd: scratch.dir });
  expect(chosen.stdout).toContain('### Recommended: threads=1\n\n| threads | latency\\_ms |');
  expect(chosen.stdout).toContain('- Note: nothing tells the configurations apart: latency_ms is 5 in all of them.');
  expect(chosen.stdout).toContain('As a spec:\n\n    fixed:\n      threads: "1"');
  const front = await dse(['analyze', ...table, 'latency_ms', '--minimize', 'energy_j'], { cwd: scratch.dir });
  expect(front.stdout).toContain(
    'Nothing tells the configurations apart: latency_ms is 5 and energy_j is 1 in all of them.',
  );
  expect([chosen.exitCode, front.exitCode]).toEqual([0, 0]);
  await scratch.file('table.csv', 'threads,latency_ms,energy_j\n1,5,1\n2,5,2\n');
  const differing = await dse(['analyze', ...table, 'latency_ms', '--minimize', 'energy_j'], { cwd: scratch.dir });
  expect(differing.stdout).not.toContain('tells');
});

test('what may be lost against the base variant is a constraint, and a loss of a plain number is not', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('table.csv', 'variant,accuracy_top1,energy_j\nfp32,0.9,5\nfp16,0.895,4\nint8-static,0.8,1\n');
  const ask = ['recommend', 'table.csv', '--factors', 'variant', '--minimize', 'energy_j', '--where'];
  const found = await dse([...ask, 'accuracy_top1.loss<=1%'], { cwd: scratch.dir });
  expect(found.stdout).toContain('Recommended: variant=fp16');
  expect(found.stdout).toContain('the least of 2 configurations');
  const unclear = await dse([...ask, 'accuracy_top1.loss<=1'], { cwd: scratch.dir });
  expect(unclear.stderr).toContain("what may be lost against variant=fp32, e.g. 'accuracy_top1.loss<=1%'");
  expect(unclear.exitCode).toBe(2);
});

test.each([
  [{ minimize: [], maximize: [] }, '0 objectives were given'],
  [{ minimize: ['latency_ms', 'energy_j'] }, '2 objectives were given'],
  [{ at: ['load=storm'] }, 'no row has load=storm'],
  [{ at: ['size=1'] }, '"size" is not one of the factors'],
  [{ format: 'pdf' }, '"pdf" is no format'],
  [{ where: ['latency_ms<10'] }, '"latency_ms<10" is not a constraint'],
])('%j is refused: %s', async (options, message) => {
  await using scratch = await scratchFolder();
  const file = await scratch.file('table.csv', TABLE);
  await expect(
    recommend([file], {
      factors: 'threads,load',
      minimize: ['energy_j'],
      maximize: [],
      where: [],
      at: [],
      format: 'text',
      ...options,
    }),
  ).rejects.toThrow(message);
});

type Levels = Readonly<Record<string, unknown>>;

const DEFAULTS: Levels = {
  ...{ model: 'mnist-cnn', variant: 'fp32', batch: 1, protocol: 'rest-binary', colocated: 'none' },
  ...{ threads: 1, inter_op_threads: 1, execution_mode: 'sequential', graph_optimization: 'all', spinning: false },
};

/** What is said of a configuration that has the levels a resolved spec gives to every factor, and these. */
function deploymentWith(levels: Levels, server: Partial<ExperimentSpec['server']> = {}) {
  const all = Object.entries({ ...DEFAULTS, ...levels });
  const fixed = Object.fromEntries(all.map(([factor, value]) => [factor, { name: String(value), value }]));
  const example = spec({ fixed: { ...spec().fixed, ...fixed }, factors: {} });
  const manifest = { ...manifestInput(), spec: { ...example, server: { ...example.server, ...server } } };
  return describeDeployment({}, [{ manifest } as unknown as Results], describeContainer);
}

test('a configuration is deployed by a spec fragment and a command that applies its limits', () => {
  const limits = { cpus: 0.5, memory: 512e6, batch: 4, cpu_frequency: 1_200_000 };
  const { command, specFragment, notes } = deploymentWith({ ...limits, variant: 'int8-static' });
  expect(command).toMatch(
    /^systemd-run --scope -p CPUQuota=50% -p MemoryMax=512000000 .*dse serve mnist-cnn --variant int8-static --threads 1/,
  );
  expect(specFragment).toContain('cpus: 0.5');
  expect(notes).toContain('Clients send batch=4, protocol=rest-binary.');
  expect(notes).toContain(
    'Measured at load=light, cpu_frequency=1200000; elsewhere another configuration may be best.',
  );
});

test('a gateway is started by a command, and what stood beside the server is said', () => {
  const around = { colocated: 'heavy', placement: 'together', max_loaded: 2 };
  expect(deploymentWith({ gateway: 'on', ...around }).notes).toEqual(
    expect.arrayContaining([
      'Measured behind a gateway: `dse gateway --upstream http://127.0.0.1:8080` puts one in front.',
      'Measured at load=light, colocated=heavy, placement=together, max_loaded=2; elsewhere another configuration may be best.',
    ]),
  );
  expect(deploymentWith({ gateway: 'on', protocol: 'grpc' }).notes).toContain(
    'Measured behind a gateway: `dse gateway --grpc-port 9001 --upstream http://127.0.0.1:8080,grpc://127.0.0.1:9000` puts one in front.',
  );
  expect(deploymentWith({ gateway: 'off' }).notes.join(' ')).not.toContain('gateway');
});

test('how requests are joined, queued, remembered and sent stands in the command, and what is off does not', () => {
  const serving = { instances: 2, max_queue: 50, cache: 100, protocol: 'grpc' };
  const batching = { max_batch: 8, max_queue_delay_ms: 2, preferred_batch: 4 };
  expect(deploymentWith({ ...serving, ...batching }).command).toContain(
    '--instances 2 --max-queue 50 --cache 100 --max-batch 8 --max-queue-delay 2ms --preferred-batches 4 --grpc-port 9000',
  );
  const more = deploymentWith({ deadline_ms: 50, body_limit: 1.5e6, max_batch: 8, preferred_batch: [2, 4] });
  expect(more.command).toContain('--deadline 50ms --body-limit 1.5MB --max-batch 8 --preferred-batches 2 4');
  expect(more.specFragment).toContain('body_limit: 1.5MB');
  const off = deploymentWith({ max_batch: 'off', max_queue_delay_ms: 2, preferred_batch: 'none', cache: 'off' });
  expect(off.command).not.toMatch(/--(max-batch|max-queue-delay|preferred-batches|cache|grpc-port)/);
});

/** The words that a shell makes of a command, its first replaced so that nothing is run. */
function wordsOf(command: string): string[] {
  const script = `${command.replace(/^\S+/, 'set --')}\nprintf '%s\\0' "$@"`;
  return execFileSync('sh', ['-c', script], { cwd: '/', encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('the command of a container holds its limits, its image and the settings that the trials had', () => {
  const limits = { cpus: 0.5, memory: 512e6, cpuset: '0-1' };
  const serving = { threads: 2, max_batch: 8, max_queue_delay_ms: 2, protocol: 'grpc', variant: 'int8-static' };
  const { container } = deploymentWith({ ...limits, ...serving });
  expect(container?.build).toBe('dse image build --engine docker');
  const words = wordsOf(container?.run ?? '');
  expect(words.slice(0, -1)).toEqual([
    ...['run', '--rm', '--pull=never', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'],
    ...['--publish=127.0.0.1:8080:8080', '--publish=127.0.0.1:9000:8081'],
    ...['--cpus=0.5', '--cpuset-cpus=0-1', '--memory=512000000b', '--memory-swap=512000000b'],
    ...['--volume=//models:/models:ro', serverImageTag()],
  ]);
  expect(JSON.parse(words.at(-1) ?? '')).toEqual({
    models: [
      {
        name: 'mnist-cnn',
        file: '/models/mnist-cnn-int8-static.onnx',
        engine: {
          intraOpThreads: 2,
          interOpThreads: 1,
          executionMode: 'sequential',
          graphOptimization: 'all',
          spinning: false,
        },
        batching: { maxBatch: 8, maxQueueDelayMs: 2, preferredBatches: [] },
      },
    ],
    host: '0.0.0.0',
    port: 8080,
    grpcPort: 8081,
  });
  expect(container?.notes.join(' ')).toContain('`dse models inspect mnist-cnn --variant int8-static`');
  expect(container?.notes.join(' ')).toContain('measured outside a container');
});

test('what was measured in Podman, on an image and with arguments of its own, is deployed so', () => {
  const own = {
    image: "it's:1",
    context: 'here',
    network: 'published',
    engineArgs: ['--ulimit', 'nofile=1 2'],
  } as const;
  const { container } = deploymentWith({ model: "dir/my model's.onnx" }, { engine: 'podman', container: own });
  expect(container?.build).toBeUndefined();
  expect(container?.run).toMatch(/^podman --connection=here run /);
  const words = wordsOf(container?.run ?? '');
  expect(words).toEqual(expect.arrayContaining(['--ulimit', 'nofile=1 2', "it's:1"]));
  expect(JSON.parse(words.at(-1) ?? '').models).toMatchObject([
    { name: "my model's", file: "/models/my model's.onnx" },
  ]);
  expect(container?.notes).toHaveLength(1);
  const built = { context: 'far', baseImage: 'node:24' };
  expect(deploymentWith({}, { engine: 'docker', container: built }).container?.build).toBe(
    'dse image build --engine docker --context far --base node:24',
  );
});

test("a server other than dse's own has no command", () => {
  const { command, container } = deploymentWith({}, { url: 'http://127.0.0.1:1' });
  expect([command, container]).toEqual([undefined, undefined]);
});
