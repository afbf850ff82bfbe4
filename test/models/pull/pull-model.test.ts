import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveModel } from '../../../src/models/index.ts';
import { download } from '../../../src/models/pull/download.ts';
import { pullModel } from '../../../src/models/pull/pull-model.ts';
import { remoteModels } from '../../../src/models/pull/remote-models.ts';
import { zoo } from '../../../src/models/pull/zoo.ts';
import { packageFile } from '../../../src/package-files.ts';

const content = readFileSync(packageFile('models/japanese-vowels.onnx'));
const sha256 = createHash('sha256').update(content).digest('hex');
const bytes = content.length;
const newFolder = () => mkdtempSync(join(tmpdir(), 'dse-pull-'));

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers ranges as a file server does. */
const wholeFile: RequestListener = ({ headers }, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200).end(content.subarray(start));
};

test('a file that was cut short is taken up where it ended, by ranges', async () => {
  const ranges: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    ranges.push(request.headers.range);
    if (ranges.length > 1) return wholeFile(request, response);
    response.writeHead(200).end(content.subarray(0, 1000));
  });
  const target = join(newFolder(), 'model.onnx');
  await download({ url, sha256, bytes }, target, { waitMs: 1 });
  expect(readFileSync(target).equals(content)).toBe(true);
  expect(ranges).toEqual([undefined, 'bytes=1000-']);
  expect(existsSync(`${target}.part`)).toBe(false);
});

test('a server without ranges sends everything again, and a redirect is followed', async () => {
  const folder = newFolder();
  const target = join(folder, 'model.onnx');
  writeFileSync(`${target}.part`, 'left from before');
  const end = await serve((_, response) => void response.writeHead(200).end(content));
  const url = await serve((_, response) => void response.writeHead(302, { location: end }).end());
  await download({ url, sha256, bytes }, target);
  expect(readFileSync(target).equals(content)).toBe(true);
});

test('a server that is down for a moment is asked again, a little later each time, and the file goes on where it was', async () => {
  const target = join(newFolder(), 'model.onnx');
  const answers = [503, 0, 429, 408, 200];
  const asked: { readonly range: string | undefined; readonly atMs: number }[] = [];
  const url = await serve((request, response) => {
    const status = answers[asked.length];
    asked.push({ range: request.headers.range, atMs: performance.now() });
    if (status === 200) return wholeFile(request, response);
    if (status === 0) return void response.writeHead(200).end(content.subarray(0, 700));
    response.writeHead(status ?? 500).end('not now');
  });
  await download({ url, sha256, bytes }, target, { attempts: 5, waitMs: 20 });
  expect(readFileSync(target).equals(content)).toBe(true);
  expect(asked.map(({ range }) => range)).toEqual([undefined, undefined, 'bytes=700-', 'bytes=700-', 'bytes=700-']);
  const waitsMs = asked.slice(1).map(({ atMs }, index) => atMs - (asked[index]?.atMs ?? 0));
  // Timers may fire a millisecond early.
  for (const [index, waitMs] of waitsMs.entries()) expect(waitMs).toBeGreaterThanOrEqual(20 * 2 ** index - 2);
});

test('a server that stays down is given up after the attempts, with its last answer', async () => {
  let asked = 0;
  const url = await serve((_, response) => {
    asked++;
    response.writeHead(502).end();
  });
  const failing = download({ url, sha256, bytes }, join(newFolder(), 'model.onnx'), { attempts: 3, waitMs: 1 });
  await expect(failing).rejects.toThrow(
    'nothing could be downloaded in 3 attempts, the last of which ended so: the server answered 502 Bad Gateway',
  );
  expect(asked).toBe(3);
});

test('a part that the server has no rest for is thrown away, and the file fetched from its start', async () => {
  const target = join(newFolder(), 'model.onnx');
  writeFileSync(`${target}.part`, content.subarray(0, 900));
  const url = await serve((request, response) => {
    if (request.headers.range === undefined) return wholeFile(request, response);
    response.writeHead(416).end();
  });
  await download({ url, sha256, bytes }, target, { waitMs: 1 });
  expect(readFileSync(target).equals(content)).toBe(true);
});

test('other bytes than promised are thrown away', async () => {
  const target = join(newFolder(), 'model.onnx');
  const url = await serve((_, response) => void response.writeHead(200).end(Buffer.alloc(bytes, 1)));
  await expect(download({ url, sha256, bytes }, target)).rejects.toThrow(`and ${sha256} was expected`);
  expect([existsSync(target), existsSync(`${target}.part`)]).toEqual([false, false]);
});

test('a file that does not end is given up at the first byte too many, whole or as the rest of one', async () => {
  for (const before of [0, 1000]) {
    const target = join(newFolder(), 'model.onnx');
    if (before > 0) writeFileSync(`${target}.part`, content.subarray(0, before));
    let isOpen = true;
    const url = await serve((_, response) => {
      response.on('close', () => {
        isOpen = false;
      });
      response.writeHead(before > 0 ? 206 : 200);
      const more = () => {
        while (isOpen && response.write(Buffer.alloc(65_536, 1)));
      };
      response.on('drain', more);
      more();
    });
    await expect(download({ url, sha256, bytes }, target)).rejects.toThrow(`more than the ${bytes} bytes expected`);
    expect([existsSync(target), existsSync(`${target}.part`)]).toEqual([false, false]);
    await expect.poll(() => isOpen).toBe(false);
  }
});

test('a stall, a missing file and no network are told, and what arrived is kept', async () => {
  const target = join(newFolder(), 'model.onnx');
  const once = { stallMs: 200, attempts: 1 };
  const stalling = await serve((_, response) => void response.writeHead(200).write(content.subarray(0, 500)));
  await expect(download({ url: stalling, sha256, bytes }, target, once)).rejects.toThrow(
    `only 500 of ${bytes} bytes could be downloaded in 1 attempt, the last of which ended so: nothing came for 0.2 s`,
  );
  expect(readFileSync(`${target}.part`)).toHaveLength(500);
  let asked = 0;
  const missing = await serve((_, response) => {
    asked++;
    response.writeHead(404).end();
  });
  await expect(download({ url: missing, sha256, bytes }, target)).rejects.toThrow('the server answered 404 Not Found');
  expect(asked).toBe(1);
  const gone = createServer();
  await new Promise<void>((listening) => gone.listen(0, '127.0.0.1', listening));
  const offline = { url: `http://127.0.0.1:${(gone.address() as AddressInfo).port}`, sha256, bytes };
  await new Promise((closed) => gone.close(closed));
  await expect(download(offline, join(newFolder(), 'model.onnx'), { attempts: 2, waitMs: 1 })).rejects.toThrow(
    /nothing could be downloaded in 2 attempts, the last of which ended so: .*ECONNREFUSED[\s\S]*Without a network, models cannot be pulled/,
  );
});

test('a catalogue of the user adds models, which are pulled through a mirror once and then served by name', async () => {
  const folder = newFolder();
  const file = join(folder, 'catalogue.json');
  writeFileSync(file, JSON.stringify({ mine: { url: 'https://example.invalid/a/mine.onnx', sha256, bytes } }));
  process.env.DSE_CATALOGUE = file;
  onTestFinished(() => {
    delete process.env.DSE_CATALOGUE;
  });
  const options = { baseDir: folder, cacheDir: join(folder, 'cache') };
  await expect(resolveModel('mine', 'fp32', options)).rejects.toThrow('the model was not downloaded yet');
  const asked: (string | undefined)[] = [];
  const mirror = await serve((request, response) => {
    asked.push(request.url);
    wholeFile(request, response);
  });
  expect(await pullModel('mine', options.cacheDir, mirror)).toMatchObject({ isNew: true, sha256 });
  expect(await pullModel('mine', options.cacheDir, mirror)).toMatchObject({ isNew: false });
  expect(asked).toEqual(['/a/mine.onnx']);
  expect((await resolveModel('mine', 'fp32', options)).digest).toBe(sha256);
  writeFileSync(file, '{ "mine": { "url": "nowhere", "sha256": "12", "bytes": 1 } }');
  expect(() => remoteModels()).toThrow('your catalogue (DSE_CATALOGUE) is not sound in "mine": its url, its sha256');
  writeFileSync(file, JSON.stringify({ 'mnist-cnn': { url: 'https://example.invalid/a/mine.onnx', sha256, bytes } }));
  expect(() => remoteModels()).toThrow('is not sound in "mnist-cnn": its name, which is that of a model of dse');
});

test('every model of the zoo has an address at a commit, a digest and a size', () => {
  for (const model of Object.values(zoo)) {
    expect(model.url).toMatch(/^https:\/\/github\.com\/onnx\/models\/raw\/[0-9a-f]{40}\/validated\/.*\.onnx$/);
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(model.bytes).toBeGreaterThan(1000);
  }
});
