import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { listServerFiles } from '../../src/launch/image/server-files.ts';
import { packageFile } from '../../src/package-files.ts';
import { temporaryDir } from './fixture.ts';

const linuxArm = ({ platform, arch }: { platform: string; arch: string }) => platform === 'linux' && arch === 'arm64';

/** A folder with the given files; those that end in package.json are written as JSON. */
function folder(files: Readonly<Record<string, string | object>>): string {
  const root = temporaryDir();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

describe('the files of the server image', () => {
  const { own, packages } = listServerFiles(packageFile(''), linuxArm);
  const names = packages.map(({ name }) => name);

  test('are the server and what it imports, and nothing of the rest of dse', () => {
    expect(own).toEqual(
      expect.arrayContaining([
        'dist/server/main.js',
        'dist/engine/worker.js',
        'package.json',
        'proto/open-inference.proto',
      ]),
    );
    expect(own.filter((file) => /dist\/(cli|run|load|launch|analysis|store|design)\//.test(file))).toEqual([]);
  });

  test('hold the packages the server needs, and no other', () => {
    expect(names).toEqual(expect.arrayContaining(['fastify', 'onnxruntime-node', 'onnxruntime-common', 'avvio']));
    for (const other of ['autocannon', 'ink', 'typescript', 'vitest', 'zod', 'adm-zip', 'global-agent'])
      expect(names).not.toContain(other);
  });

  test("hold onnxruntime's library for the wanted platform only", () => {
    const files = packages.find(({ name }) => name === 'onnxruntime-node')?.files ?? [];
    const libraries = files.filter((file) => file.includes('/bin/'));
    expect(libraries.length).toBeGreaterThan(0);
    for (const file of libraries) expect(file).toContain('/linux/arm64/');
  });

  test("hold the image decoder's library for the wanted platform only, and none where it is not installed", () => {
    const own = listServerFiles(
      packageFile(''),
      ({ platform, arch }) => platform === process.platform && arch === process.arch,
    );
    const wanted = own.packages.map(({ name }) => name).filter((name) => name.startsWith('@img/sharp'));
    expect(wanted).toEqual([
      `@img/sharp-libvips-${process.platform}-${process.arch}`,
      `@img/sharp-${process.platform}-${process.arch}`,
    ]);
    expect(names).toEqual(expect.arrayContaining(['sharp', 'detect-libc', '@img/colour']));
    const isHere = process.platform === 'linux' && process.arch === 'arm64';
    if (!isHere) expect(names.filter((name) => name.startsWith('@img/sharp'))).toEqual([]);
  });

  test('are enough for the server to start where there is nothing else', async () => {
    const root = temporaryDir();
    const here = ({ platform, arch }: { platform: string; arch: string }) =>
      platform === process.platform && arch === process.arch;
    const files = listServerFiles(packageFile(''), here);
    const paths = [...files.own, ...files.packages.flatMap((one) => one.files)];
    await execa('cp', ['--parents', ...paths, root], { cwd: packageFile('') });
    const engine = { intraOpThreads: 1, interOpThreads: 1, executionMode: 'sequential', graphOptimization: 'all' };
    const file = packageFile('models/mnist-cnn.onnx');
    const models = [{ name: 'mnist', file, engine: { ...engine, spinning: false } }];
    const argument = JSON.stringify({ models, host: '127.0.0.1', port: 0, grpcPort: 0, exitOnStdinEnd: true });
    const { stdout } = await execa('node', [join(root, 'dist/server/main.js'), argument], { input: '', reject: false });
    expect(stdout).toContain('"dse":"listening"');
    expect(stdout).toContain('"grpcAddress":"127.0.0.1:');
  });

  test('follow dependencies as Node finds them: the nearest folder first', () => {
    const root = folder({
      'package.json': {},
      'dist/server/main.js': "import a from 'a';\nimport { b } from './b.js';\n",
      'dist/server/b.js': "export { c } from '@scope/c/deep';\nimport('node:fs');\nBuffer.from('no package');\n",
      'node_modules/a/package.json': { version: '1.0.0', dependencies: { d: '*' } },
      'node_modules/a/index.js': '',
      'node_modules/a/node_modules/d/package.json': { version: '2.0.0', dependencies: { e: '*' } },
      'node_modules/@scope/c/package.json': { version: '3.0.0', dependencies: { d: '*' } },
      'node_modules/d/package.json': { version: '4.0.0', optionalDependencies: { f: '*', 'not-installed': '*' } },
      'node_modules/e/package.json': { version: '5.0.0' },
      'node_modules/f/package.json': { version: '7.0.0', os: ['linux'], cpu: ['x64'] },
      'node_modules/unused/package.json': { version: '6.0.0' },
    });
    const files = listServerFiles(root, () => true, ['dist/server/main.js']);
    expect(files.own).toEqual(['dist/server/b.js', 'dist/server/main.js', 'package.json']);
    expect(files.packages.map(({ dir, version }) => `${dir} ${version}`)).toEqual([
      'node_modules/@scope/c 3.0.0',
      'node_modules/a 1.0.0',
      'node_modules/a/node_modules/d 2.0.0',
      'node_modules/d 4.0.0',
      'node_modules/e 5.0.0',
      'node_modules/f 7.0.0',
    ]);
    const isArm = ({ arch }: { arch: string }) => arch === 'arm64';
    const forArm = listServerFiles(root, isArm, ['dist/server/main.js']).packages;
    expect(forArm.map(({ name }) => name)).not.toContain('f');
    expect(files.packages[1]?.files).toEqual(['node_modules/a/index.js', 'node_modules/a/package.json']);
  });

  test('that are not all installed are named', () => {
    const root = folder({ 'package.json': {}, 'dist/server/main.js': "import 'gone';\n" });
    expect(() => listServerFiles(root, () => true, ['dist/server/main.js'])).toThrow(
      `the package "gone" is not installed in ${join(root, 'node_modules')}`,
    );
  });
});
