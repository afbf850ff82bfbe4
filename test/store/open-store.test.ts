import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { histogramPath, openStore, readResults, secondsPath } from '../../src/store/index.ts';
import {
  doneRecord,
  failedRecord,
  generatorCeiling,
  idlePower,
  manifestInput,
  modelProfile,
  spec,
  temporaryFolder,
} from './examples.ts';

function json(...path: string[]): unknown {
  return JSON.parse(readFileSync(join(...path), 'utf8'));
}

describe('a result folder', () => {
  it('is made with everything it needs and lists no trials yet', async () => {
    const outDir = join(temporaryFolder(), 'results', 'demo');
    await using store = await openStore(outDir, manifestInput());
    expect(readdirSync(outDir).sort()).toEqual([
      'dse.lock',
      'histograms',
      'journal.jsonl',
      'logs',
      'manifest.json',
      'seconds',
      'trials.csv',
    ]);
    expect([...store.finishedTrialIds()]).toEqual([]);
    expect(json(outDir, 'manifest.json')).toMatchObject({
      formatVersion: 1,
      experiment: 'demo',
      spec: { design: { seed: 42 } },
    });
  });

  it('goes on where it stopped', async () => {
    const outDir = temporaryFolder();
    {
      await using store = await openStore(outDir, manifestInput());
      await store.append(doneRecord({ trialId: 'measured', verdict: 'invalid' }));
      await store.append(failedRecord({ trialId: 'failed' }));
      await store.append(failedRecord({ trialId: 'second time lucky' }));
      await store.append(doneRecord({ trialId: 'second time lucky', attempt: 2, replicate: 2 }));
    }
    await using store = await openStore(outDir, manifestInput());
    expect([...store.finishedTrialIds()]).toEqual(['measured', 'second time lucky']);
    expect(['measured', 'failed', 'second time lucky', 'new'].map((id) => store.attempts(id))).toEqual([1, 1, 2, 0]);
    expect(existsSync(join(outDir, 'manifests'))).toBe(false);
  });

  it('counts the trial that was measured last of equal levels and replicate, and measures a superseded one again where it is wanted', async () => {
    const outDir = temporaryFolder();
    await using store = await openStore(outDir, manifestInput());
    const finished = () => [...store.finishedTrialIds()];
    await store.append(doneRecord({ trialId: 'old file' }));
    await store.append(doneRecord({ trialId: 'other replicate', replicate: 2 }));
    await store.append(doneRecord({ trialId: 'other machine', host: 'elsewhere' }));
    await store.append(failedRecord({ trialId: 'new file' }));
    expect(finished()).toEqual(['old file', 'other replicate', 'other machine']);
    await store.append(doneRecord({ trialId: 'new file', attempt: 2 }));
    expect(finished()).toEqual(['other replicate', 'other machine', 'new file']);
    await store.append(doneRecord({ trialId: 'old file', attempt: 2 }));
    expect(finished()).toEqual(['old file', 'other replicate', 'other machine']);
  });

  it('keeps what earlier manifests said when the spec grew', async () => {
    const outDir = temporaryFolder();
    await (await openStore(outDir, manifestInput()))[Symbol.asyncDispose]();
    const first = json(outDir, 'manifest.json');
    const grown = spec({
      factors: {
        ...spec().factors,
        batch: [
          { name: '1', value: 1 },
          { name: '4', value: 4 },
        ],
      },
    });
    await (await openStore(outDir, manifestInput({ spec: grown })))[Symbol.asyncDispose]();
    expect(json(outDir, 'manifests', 'manifest-0001.json')).toEqual(first);
    expect(json(outDir, 'manifest.json')).toMatchObject({ spec: { factors: { batch: [{}, {}] } } });
  });

  it('remembers every machine that measured into it', async () => {
    const outDir = temporaryFolder();
    const other = { host: 'there', facts: { cpu: { value: 'y', why: 'speed' } } };
    await (await openStore(outDir, manifestInput()))[Symbol.asyncDispose]();
    const created = (json(outDir, 'manifest.json') as { createdAt: string }).createdAt;
    await (await openStore(outDir, manifestInput({ machine: other })))[Symbol.asyncDispose]();
    await using store = await openStore(outDir, manifestInput());
    expect(store.manifest.machines.map(({ host }) => host)).toEqual(['here', 'there']);
    expect(store.manifest.machine.host).toBe('here');
    expect(store.manifest.createdAt).toBe(created);
  });

  it('of another experiment is refused and not touched', async () => {
    const outDir = temporaryFolder();
    await (await openStore(outDir, manifestInput()))[Symbol.asyncDispose]();
    const before = readFileSync(join(outDir, 'manifest.json'), 'utf8');
    await expect(openStore(outDir, manifestInput({ experiment: 'other' }))).rejects.toThrow(
      `${outDir}  this folder holds the results of experiment "demo", not of "other"\n` +
        '  Choose another folder with --out DIR, or give the spec its old name back. Nothing was changed.',
    );
    expect(readFileSync(join(outDir, 'manifest.json'), 'utf8')).toBe(before);
    expect(existsSync(join(outDir, 'dse.lock'))).toBe(false);
  });

  it('that was never one is refused where its files would be overwritten', async () => {
    const outDir = temporaryFolder();
    writeFileSync(join(outDir, 'trials.csv'), 'my,own\n');
    await expect(openStore(outDir, manifestInput())).rejects.toThrow(
      'this folder has a trials.csv but no manifest.json',
    );
    expect(readdirSync(outDir)).toEqual(['trials.csv']);
    writeFileSync(join(outDir, 'manifest.json'), '{"name":"a web page"}');
    await expect(openStore(outDir, manifestInput())).rejects.toThrow('this is not a manifest of dse (formatVersion:');
  });

  it('written by a newer dse is refused', async () => {
    const outDir = temporaryFolder();
    writeFileSync(join(outDir, 'manifest.json'), '{"formatVersion":2}');
    await expect(openStore(outDir, manifestInput())).rejects.toThrow(
      'this folder has format 2, and this dse reads format 1',
    );
  });

  it('cannot be made inside a file', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(openStore(join(file, 'out'), manifestInput())).rejects.toThrow('could not make this folder: ENOTDIR');
  });

  it('refuses a factor that would share a column with something else', async () => {
    const factors = {
      params: [
        { name: '1', value: 1 },
        { name: '2', value: 2 },
      ],
    };
    await expect(openStore(temporaryFolder(), manifestInput({ spec: spec({ factors }) }))).rejects.toThrow(
      '/specs/demo.yaml  factor "params" has the name of a column of trials.csv',
    );
  });

  it('tells of a torn journal once and keeps the rest', async () => {
    const outDir = temporaryFolder();
    {
      await using store = await openStore(outDir, manifestInput());
      await store.append(doneRecord());
    }
    writeFileSync(join(outDir, 'journal.jsonl'), `${readFileSync(join(outDir, 'journal.jsonl'), 'utf8')}{"for`);
    expect((await readResults(outDir)).warnings).toHaveLength(1);
    {
      await using store = await openStore(outDir, manifestInput());
      expect(store.warnings).toHaveLength(1);
      await store.append(doneRecord({ trialId: 't2' }));
    }
    const { records, warnings } = await readResults(outDir);
    expect(records.map(({ trialId }) => trialId)).toEqual(['t1', 't2']);
    expect(warnings).toEqual([]);
  });

  it('keeps what was measured of the machine between the trials, and takes none of it for a trial', async () => {
    const outDir = temporaryFolder();
    const later = { ...idlePower, block: 2, powerW: 11 };
    {
      await using store = await openStore(outDir, manifestInput());
      for (const record of [generatorCeiling, modelProfile, idlePower, doneRecord(), later]) await store.append(record);
    }
    {
      await using store = await openStore(outDir, manifestInput());
      expect([...store.finishedTrialIds()]).toEqual(['t1']);
      expect(store.modelProfile('here', 'ab12 sequence=128')).toEqual(modelProfile);
      expect(store.modelProfile('there', 'ab12 sequence=128')).toBeUndefined();
    }
    const { records, idlePower: idle, generatorCeilings, modelProfiles, rows } = await readResults(outDir);
    expect({ records, idle, generatorCeilings, modelProfiles }).toEqual({
      modelProfiles: [modelProfile],
      records: [doneRecord()],
      idle: [idlePower, later],
      generatorCeilings: [generatorCeiling],
    });
    expect(rows).toHaveLength(1);
  });

  it('keeps the histograms and seconds of each attempt, and names logs safely', async () => {
    const outDir = temporaryFolder();
    await using store = await openStore(outDir, manifestInput());
    await store.writeHistogram('t1', 'latency', 'first');
    await store.writeHistogram('t1', 'send-lag', 'lags');
    await store.writeHistogram('t1', 'latency', 'second', 2);
    await store.writeSeconds('t1', 'second\n0\n');
    await store.writeSeconds('t1', 'second\n1\n', 2);
    const written = ['histograms', 'seconds'].flatMap((folder) => readdirSync(join(outDir, folder)).sort());
    expect(written).toEqual([
      't1-attempt2.latency.hdr',
      't1.latency.hdr',
      't1.send-lag.hdr',
      't1-attempt2.csv',
      't1.csv',
    ]);
    expect(readFileSync(histogramPath(outDir, 't1', 'latency', 1), 'utf8')).toBe('first');
    expect(readFileSync(histogramPath(outDir, 't1', 'send-lag', 1), 'utf8')).toBe('lags');
    expect(readFileSync(histogramPath(outDir, 't1', 'latency', 2), 'utf8')).toBe('second');
    expect(readFileSync(secondsPath(outDir, 't1', 2), 'utf8')).toBe('second\n1\n');
    expect(store.logPath('model=a/../b')).toBe(join(outDir, 'logs', 'model=a_.._b.log'));
  });

  it('is not read where there is none', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'empty'));
    await expect(readResults(join(folder, 'empty'))).rejects.toThrow(
      'this is not a result folder: it has no manifest.json',
    );
    await expect(readResults(join(folder, 'missing'))).rejects.toThrow('this is not a result folder');
  });
});
