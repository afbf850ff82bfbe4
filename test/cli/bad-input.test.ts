import { expect, test } from 'vitest';
import { dse, scratchFolder, smallSpec } from './dse.ts';

/** What a user sees for an experiment that cannot run: the exit code and standard error. */
async function refuse(spec: string, ...args: string[]) {
  await using scratch = await scratchFolder();
  await scratch.file('spec.yaml', spec);
  const { exitCode, stderr } = await dse(['run', 'spec.yaml', ...args], { cwd: scratch.dir });
  expect(stderr).not.toMatch(/^\s+at /m);
  return { exitCode, stderr };
}

test('a missing file is a sentence and exit code 2', async () => {
  const { exitCode, stderr } = await dse(['run', 'nowhere.yaml']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('nowhere.yaml  the experiment file cannot be read');
});

test('all problems of a spec are told at once, each with its place', async () => {
  const { exitCode, stderr } = await refuse(
    smallSpec()
      .replace('model: mnist-cnn', 'model: mnist-cn')
      .replace('batch: [1, 2]', 'batch: [8]')
      .replace('seed: 7', 'sed: 7'),
  );
  expect(exitCode).toBe(2);
  expect(stderr).toContain('spec.yaml:');
  expect(stderr).toContain('factor "batch" has one level (8)');
  expect(stderr).toContain('"sed"');
  expect(stderr).toContain('mnist-cn');
});

test('broken YAML is named with its line', async () => {
  const { exitCode, stderr } = await refuse('name: [a\nfactors: {');
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/spec\.yaml:\d+:\d+ {2}this is not valid YAML/);
});

test('a CPU that the machine does not have is refused', async () => {
  const { exitCode, stderr } = await refuse(smallSpec().replace('contexts:', 'server: { cpuset: "4096" }\ncontexts:'));
  expect(exitCode).toBe(2);
  expect(stderr).toContain('4096');
});

test('an ONNX file that is none is refused', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('mine.onnx', 'this is no model');
  await scratch.file('spec.yaml', smallSpec().replace('model: mnist-cnn', 'model: ./mine.onnx'));
  const { exitCode, stderr } = await dse(['run', 'spec.yaml'], { cwd: scratch.dir });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('mine.onnx');
});

test('a container engine that is not installed is refused with the fix', async () => {
  await using scratch = await scratchFolder();
  await scratch.file('spec.yaml', smallSpec());
  const { exitCode, stderr } = await dse(['run', 'spec.yaml', '--engine', 'docker'], {
    cwd: scratch.dir,
    env: { PATH: scratch.dir },
  });
  expect(stderr).toContain('docker');
  expect(stderr).toContain('nstall');
  expect(exitCode).toBe(2);
});

test('an unknown reporter, engine or option is a usage error', async () => {
  expect((await refuse(smallSpec(), '--reporter', 'confetti')).exitCode).toBe(2);
  expect((await refuse(smallSpec(), '--engine', 'hovercraft')).exitCode).toBe(2);
  expect((await refuse(smallSpec(), '--frobnicate')).exitCode).toBe(2);
});

test('a result folder that cannot be made is refused', async () => {
  const { exitCode, stderr } = await refuse(smallSpec(), '--out', '/dev/null/results');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('/dev/null/results');
});

test('with --json an error is JSON on standard output', async () => {
  const { exitCode, stdout } = await dse(['plan', 'nowhere.yaml', '--json']);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'spec', problems: [{ where: 'nowhere.yaml' }] } });
});

test('options of a server that change nothing, leave no request any time, or name no port are refused', async () => {
  const refused = async (...options: string[]) => {
    const { exitCode, stderr } = await dse(['serve', 'mnist-cnn', '--port', '0', ...options]);
    expect(exitCode).toBe(2);
    return stderr.trimEnd();
  };
  expect(await refused('--max-batch', '4', '--preferred-batches', '2', '8')).toBe(
    '--preferred-batches  8 has no effect with --max-batch 4\n  Leave it out, or give --max-batch 8.',
  );
  expect(await refused('--deadline', '0ms')).toBe(
    '--deadline  "0ms" leaves a request no time\n  Give a time above 0, e.g. 50ms, or leave it out.',
  );
  expect(await refused('--grpc-port', '70000')).toBe(
    '--grpc-port  "70000" is not possible\n  Give a port from 0 to 65535, e.g. 8080.',
  );
});
