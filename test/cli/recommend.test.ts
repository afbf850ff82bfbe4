import { expect, test } from 'vitest';
import { recommend } from '../../src/cli/commands/recommend.ts';
import { describeDeployment } from '../../src/report/index.ts';
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
  expect(both.stdout).toContain('At load=light:\nRecommended: threads=1 load=light');
  expect(both.stdout).toContain('No configuration meets every constraint.');
  expect(both.stdout).toContain('Closest: threads=2 load=high; latency_ms is 12, <= 10 was asked.');
  expect(both.exitCode).toBe(1);
  const light = await dse([...ask, '--at', 'load=light', '--json'], { cwd: scratch.dir });
  expect(light.exitCode).toBe(0);
  expect(JSON.parse(light.stdout).recommendations).toMatchObject([
    { at: { load: 'light' }, choice: { configuration: { threads: '1', load: 'light' }, value: 1, held: [9] } },
  ]);
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
  [{ where: ['latency_ms<10'] }, '"latency_ms<10" is not a constraint'],
])('%j is refused: %s', async (options, message) => {
  await using scratch = await scratchFolder();
  const file = await scratch.file('table.csv', TABLE);
  await expect(
    recommend([file], { factors: 'threads,load', minimize: ['energy_j'], maximize: [], where: [], at: [], ...options }),
  ).rejects.toThrow(message);
});

test('a configuration is deployed by a spec fragment and a command that applies its limits', () => {
  const levels = {
    cpus: { name: '0.5', value: 0.5 },
    memory: { name: '512MB', value: 512e6 },
    batch: { name: '4', value: 4 },
  };
  const example = spec({ fixed: { ...spec().fixed, ...levels } });
  const results = { manifest: { ...manifestInput(), spec: example } } as unknown as Results;
  const chosen = Object.fromEntries(
    Object.entries(example.factors).map(([factor, [first]]) => [factor, first?.name ?? '']),
  );
  const { command, specFragment, notes } = describeDeployment(chosen, [results]);
  expect(command).toMatch(/^systemd-run --scope -p CPUQuota=50% -p MemoryMax=512000000 .*dse serve \S+ --threads 1/);
  expect(specFragment).toContain('cpus: 0.5');
  expect(notes).toContain('Clients send batch=4.');
});

test('how requests are joined, queued, remembered and sent stands in the command, and what is off does not', () => {
  const level = (value: string | number) => ({ name: String(value), value });
  const commandWith = (levels: Readonly<Record<string, string | number>>) => {
    const factors = Object.fromEntries(Object.entries(levels).map(([factor, value]) => [factor, level(value)]));
    const example = spec({ fixed: { ...spec().fixed, ...factors } });
    return describeDeployment({}, [{ manifest: { ...manifestInput(), spec: example } } as unknown as Results]).command;
  };
  const serving = { instances: 2, max_queue: 50, cache: 100, protocol: 'grpc' };
  const batching = { max_batch: 8, max_queue_delay_ms: 2, preferred_batch: 4 };
  expect(commandWith({ ...serving, ...batching })).toContain(
    '--instances 2 --max-queue 50 --cache 100 --max-batch 8 --max-queue-delay 2ms --preferred-batches 4 --grpc-port 9000',
  );
  const off = commandWith({ max_batch: 'off', max_queue_delay_ms: 2, preferred_batch: 'none', cache: 'off' });
  expect(off).not.toMatch(/--(max-batch|max-queue-delay|preferred-batches|cache|grpc-port)/);
});
