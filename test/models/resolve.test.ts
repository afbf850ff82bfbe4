import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelError } from '../../src/errors.ts';
import { resolveModel } from '../../src/models/index.ts';
import { readOnnx, writeOnnx } from '../../src/models/onnx-file.ts';
import { createMessage, type TensorProto } from '../../src/models/onnx-schema.ts';
import { compiledEntry, packageFile } from '../../src/package-files.ts';

const mnist = packageFile('models/mnist-cnn.onnx');
const newFolder = () => mkdtempSync(join(tmpdir(), 'dse-models-'));
const squeezenet = (cacheDir: string) => resolveModel('squeezenet1.1', 'fp32', { baseDir: '.', cacheDir });

describe('a model of the catalogue', () => {
  test('is built into the cache once, and described', async () => {
    const cacheDir = join(newFolder(), 'made', 'when', 'missing');
    const model = await squeezenet(cacheDir);
    expect(model).toMatchObject({
      name: 'squeezenet1.1',
      variant: 'fp32',
      isSynthetic: true,
      params: 1_235_496,
      macs: 349_151_936,
      sizeBytes: statSync(model.file).size,
      dataset: undefined,
    });
    expect(createHash('sha256').update(readFileSync(model.file)).digest('hex')).toBe(model.digest);
    const builtAt = statSync(model.file).mtimeMs;
    expect(await squeezenet(cacheDir)).toEqual(model);
    expect(statSync(model.file).mtimeMs).toBe(builtAt);
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  test('is built anew where the cached file was cut short or changed', async () => {
    const cacheDir = newFolder();
    const { file, digest } = await squeezenet(cacheDir);
    writeFileSync(file, readFileSync(file).subarray(0, 1000));
    expect((await squeezenet(cacheDir)).digest).toBe(digest);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(100_000) ^ 1, 100_000);
    writeFileSync(file, bytes);
    expect((await squeezenet(cacheDir)).digest).toBe(digest);
  });

  test('can be asked for by several processes at once, which all get the whole file', async () => {
    const cacheDir = newFolder();
    const script = `
      const { resolveModel } = await import(${JSON.stringify(compiledEntry('models/index'))});
      const model = await resolveModel('squeezenet1.1', 'fp32', { baseDir: '.', cacheDir: ${JSON.stringify(cacheDir)} });
      console.log(model.digest);`;
    const run = () => execa(process.execPath, ['--input-type=module', '--eval', script]);
    const digests = (await Promise.all([run(), run(), run()])).map(({ stdout }) => stdout);
    expect(new Set(digests)).toEqual(new Set([(await squeezenet(cacheDir)).digest]));
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  test('leaves no temporary file behind, also not that of a process that was killed long ago', async () => {
    const cacheDir = newFolder();
    const { file } = await squeezenet(cacheDir);
    const [old, fresh] = [`${file}.old.tmp`, `${file}.fresh.tmp`];
    for (const path of [old, fresh]) writeFileSync(path, 'half');
    utimesSync(old, 0, 0);
    writeFileSync(file, 'damaged');
    await squeezenet(cacheDir);
    expect(readdirSync(cacheDir).sort()).toEqual([basename(file), basename(fresh)]);
  });

  test('that was trained comes with the labelled samples it ships with', async () => {
    const model = await resolveModel('mnist-cnn', 'fp32', { baseDir: '.', cacheDir: newFolder() });
    expect(model.dataset).toMatchObject({
      name: 'mnist-test-1000',
      samples: packageFile('models/mnist-test-1000-images.idx'),
      labels: packageFile('models/mnist-test-1000-labels.idx'),
    });
  });

  test('says what to do where the cache cannot be written', async () => {
    const file = join(newFolder(), 'a-file');
    writeFileSync(file, '');
    await expect(squeezenet(join(file, 'cache'))).rejects.toThrow(ModelError);
    await expect(squeezenet(join(file, 'cache'))).rejects.toThrow('check that the cache folder may be written to');
  });
});

test('asking for names loads neither protobuf nor a builder', async () => {
  const script = `
    import { createRequire } from 'node:module';
    const { isKnownModel } = await import(${JSON.stringify(compiledEntry('models/index'))});
    const loaded = Object.keys(createRequire('/').cache).filter((path) => path.includes('protobufjs'));
    console.log(isKnownModel('resnet18'), loaded.length);`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', script]);
  expect(stdout).toBe('true 0');
});

describe("a file of the user's own", () => {
  const resolveFile = (baseDir: string, name: string) =>
    resolveModel(name, 'fp32', { baseDir, cacheDir: join(baseDir, 'cache') });

  test('is found relative to the base folder, and its inputs and outputs are read from it', async () => {
    const baseDir = newFolder();
    mkdirSync(join(baseDir, 'models'));
    copyFileSync(mnist, join(baseDir, 'models/mine.onnx'));
    expect(await resolveFile(baseDir, 'models/mine.onnx')).toMatchObject({
      name: 'models/mine.onnx',
      file: join(baseDir, 'models/mine.onnx'),
      isSynthetic: false,
      inputs: [{ name: 'input', type: 'float32', shape: ['batch', 1, 28, 28] }],
      outputs: [{ name: 'logits', type: 'float32', shape: ['batch', 10] }],
      params: 105_866,
      dataset: undefined,
    });
    expect(readdirSync(baseDir)).toEqual(['models']);
  });

  test('that is missing, a folder, text, empty or cut short is refused with its path and a sentence', async () => {
    const baseDir = newFolder();
    mkdirSync(join(baseDir, 'folder.onnx'));
    writeFileSync(join(baseDir, 'text.onnx'), 'model: squeezenet1.1\n');
    writeFileSync(join(baseDir, 'empty.onnx'), '');
    writeFileSync(join(baseDir, 'short.onnx'), readFileSync(mnist).subarray(0, 200_000));
    for (const [name, message] of [
      ['missing.onnx', 'the model file does not exist'],
      ['folder.onnx', 'this is a folder, not a model file'],
      ['text.onnx', 'not an ONNX model'],
      ['empty.onnx', 'not an ONNX model: the file is empty'],
      ['short.onnx', 'it may be cut short'],
    ] as const) {
      await expect(resolveFile(baseDir, name)).rejects.toThrow(ModelError);
      await expect(resolveFile(baseDir, name)).rejects.toThrow(message);
    }
  });

  test('with damaged bytes is described or refused with a ModelError, and never anything else', async () => {
    const baseDir = newFolder();
    const whole = readFileSync(mnist);
    // The structure stands in the first and last stretch; in between are the weights.
    const place = fc.oneof(fc.nat(2000), fc.integer({ min: whole.length - 500, max: whole.length - 1 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes.writeUInt8(value, at);
        writeFileSync(join(baseDir, 'damaged.onnx'), bytes);
        try {
          await resolveFile(baseDir, 'damaged.onnx');
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }),
      { numRuns: 80 },
    );
  });

  describe('whose weights stand in another file', () => {
    /** The MNIST model with its first weight moved out to `location`. */
    function withExternalWeight(baseDir: string, location: string): TensorProto {
      const model = readOnnx(readFileSync(mnist), 'mnist');
      const weight = model.graph.initializer.find(({ name }) => name === 'conv1.weight');
      if (weight === undefined) throw new Error('no weight');
      const original = { ...weight };
      delete weight.rawData;
      weight.dataLocation = 1;
      weight.externalData = [createMessage('StringStringEntryProto', { key: 'location', value: location })];
      writeFileSync(join(baseDir, 'mine.onnx'), writeOnnx(model));
      return original;
    }

    test('has a digest and a size that count them', async () => {
      const baseDir = newFolder();
      const weight = withExternalWeight(baseDir, 'mine.data');
      writeFileSync(join(baseDir, 'mine.data'), weight.rawData ?? '');
      const before = await resolveFile(baseDir, 'mine.onnx');
      expect(before.params).toBe(105_866);
      expect(before.sizeBytes).toBe(statSync(join(baseDir, 'mine.onnx')).size + 576);
      writeFileSync(join(baseDir, 'mine.data'), Buffer.alloc(576));
      expect((await resolveFile(baseDir, 'mine.onnx')).digest).not.toBe(before.digest);
    });

    test('is refused where that file is outside its folder, by path or by link, or is not there', async () => {
      const baseDir = newFolder();
      const outside = join(newFolder(), 'secret');
      writeFileSync(outside, 'secret');
      symlinkSync(outside, join(baseDir, 'link.data'));
      symlinkSync('loop.data', join(baseDir, 'loop.data'));
      for (const [location, message] of [
        ['../secret', 'the tensor "conv1.weight" lies in "../secret", outside the model\'s folder'],
        [outside, "outside the model's folder"],
        ['sub/../../secret', "outside the model's folder"],
        ['', "outside the model's folder"],
        ['link.data', 'lies in "link.data", a link that leads outside the model\'s folder'],
        ['gone.data', 'lies in "gone.data", which is not there'],
        ['loop.data', 'which is not there'],
        ['mine.onnx/weights', 'which is not there'],
        ['nul\0.data', 'which is not there'],
        ['long'.repeat(200), 'which is not there'],
      ] as const) {
        withExternalWeight(baseDir, location);
        await expect(resolveFile(baseDir, 'mine.onnx')).rejects.toThrow(message);
      }
    });
  });

  test('with a giant or impossible tensor is refused by the name of the tensor', async () => {
    const baseDir = newFolder();
    for (const [dims, message] of [
      [[2n ** 62n, 4], 'the tensor "conv1.weight" has impossible dimensions [4611686018427387904, 4]'],
      [[-16, 1, 3, 3], 'the tensor "conv1.weight" has impossible dimensions [-16, 1, 3, 3]'],
      [[17, 1, 3, 3], 'the tensor "conv1.weight" holds 576 bytes where [17, 1, 3, 3] needs 612'],
    ] as const) {
      const model = readOnnx(readFileSync(mnist), 'mnist');
      Object.assign(model.graph.initializer.find(({ name }) => name === 'conv1.weight') ?? {}, { dims });
      writeFileSync(join(baseDir, 'giant.onnx'), writeOnnx(model));
      await expect(resolveFile(baseDir, 'giant.onnx')).rejects.toThrow(message);
    }
  });

  test('with a tensor that says a giant size and holds nothing is refused too', async () => {
    const baseDir = newFolder();
    const model = readOnnx(readFileSync(mnist), 'mnist');
    const tensor = model.graph.initializer.find(({ name }) => name === 'conv1.weight');
    Object.assign(tensor ?? {}, { dims: [2 ** 31, 4], rawData: undefined });
    writeFileSync(join(baseDir, 'empty.onnx'), writeOnnx(model));
    await expect(resolveFile(baseDir, 'empty.onnx')).rejects.toThrow(
      'the tensor "conv1.weight" holds 0 elements where [2147483648, 4] needs 8589934592',
    );
  });

  test('with a fixed batch has no multiply-adds per item, because an item cannot be told apart', async () => {
    const baseDir = newFolder();
    const model = readOnnx(readFileSync(mnist), 'mnist');
    const dimension = model.graph.input[0]?.type?.tensorType?.shape?.dim[0];
    Object.assign(dimension ?? {}, { dimParam: undefined, dimValue: 4 });
    writeFileSync(join(baseDir, 'four.onnx'), writeOnnx(model));
    const resolved = await resolveFile(baseDir, 'four.onnx');
    expect(resolved.macs).toBeUndefined();
    expect(resolved.inputs[0]?.shape).toEqual([4, 1, 28, 28]);
  });
});

test('an unknown name is answered with the nearest ones and all there are', async () => {
  const resolveName = (name: string, variant = 'fp32') => resolveModel(name, variant, { baseDir: '.', cacheDir: '.' });
  await expect(resolveName('squeeznet')).rejects.toThrowErrorMatchingInlineSnapshot(`
    [ModelError: unknown model "squeeznet"
      Did you mean "squeezenet1.0" or "squeezenet1.1"? The catalogue has squeezenet1.0, squeezenet1.1, mobilenetv2, mobilenetv2-0.5, resnet18, resnet34, resnet50, densenet121, resnet20-28, resnet20-32, densenet40-28, densenet40-32, mobilenetv2-28, mobilenetv2-32, bert-tiny, minilm-l6, inceptiontime, lstm, mnist-cnn, mnist-cnn-s, mnist-cnn-m, mnist-cnn-l, mnist-resnet-s, mnist-resnet-m, mnist-resnet-l, mnist-mobilenet-s, mnist-mobilenet-m, mnist-mobilenet-l, japanese-vowels, magika. A file of your own is named by its path, e.g. "models/mine.onnx".]
  `);
  await expect(resolveName('constructor')).rejects.toThrow('unknown model "constructor"');
  await expect(resolveName('resnet18', 'int4')).rejects.toThrowErrorMatchingInlineSnapshot(`
    [ModelError: unknown variant "int4"
      Variants are fp32, fp16, int8-static (or int8-static-percentile, int8-static-entropy), int8-dynamic, pruned-30 (percent of filters, by what the layers behind them lose on samples; pruned-30-norm by the size of their weights), sparse-50 (percent of weights), and pruned or sparse before a number format, e.g. pruned-30+int8-static; for the MNIST families also distilled and pruned-50-finetuned, which are trained.]
  `);
});
