import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageFile } from '../../package-files.ts';
import { listServerFiles } from './server-files.ts';

/**
 * A step of the Dockerfile: `node dist/launch/image/copy-server-files.js DIR` copies the files the server needs into DIR, with native libraries for the platform it runs on only.
 */
const [destination] = process.argv.slice(2);
if (destination === undefined) throw new Error('usage: copy-server-files.js DIR');
const root = packageFile('');
const { own, packages } = listServerFiles(
  root,
  ({ platform, arch }) => platform === process.platform && arch === process.arch,
);
for (const file of [...own, ...packages.flatMap(({ files }) => files)]) {
  mkdirSync(dirname(join(destination, file)), { recursive: true });
  cpSync(join(root, file), join(destination, file));
}
