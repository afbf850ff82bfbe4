import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrialRecord } from '../../src/store/index.ts';
import { openJournal, readJournal } from '../../src/store/journal.ts';
import { encodeRecord } from '../../src/store/record-codec.ts';
import { doneRecord, failedRecord, temporaryFolder } from './examples.ts';

const records = [1, 2, 3].map((n) => doneRecord({ trialId: `t${n}`, runOrder: n }));

function journalOf(text: string): string {
  const path = join(temporaryFolder(), 'journal.jsonl');
  writeFileSync(path, text);
  return path;
}

function lines(of: readonly TrialRecord[]): string {
  return of.map((record) => `${encodeRecord(record)}\n`).join('');
}

async function append(path: string, record: TrialRecord) {
  const { writer, warnings } = await openJournal(path, () => undefined);
  await writer.append(record);
  await writer[Symbol.asyncDispose]();
  return warnings;
}

describe('a journal', () => {
  it('is read back in the order it was written', async () => {
    expect(await readJournal(journalOf(lines(records)))).toEqual({ records, warnings: [] });
  });

  it('that is empty holds nothing', async () => {
    expect(await readJournal(journalOf(''))).toEqual({ records: [], warnings: [] });
  });

  it('is read across the chunks in which a file arrives', async () => {
    const many = Array.from({ length: 400 }, (_, n) => failedRecord({ trialId: `t${n}`, reason: 'ä€😀'.repeat(n) }));
    expect((await readJournal(journalOf(lines(many)))).records).toEqual(many);
  });

  it('survives being cut off at any byte, and the next record starts on a line of its own', async () => {
    const text = lines(records);
    const whole = Buffer.from(text);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (cut) => {
        const path = journalOf(text);
        truncateSync(path, cut);
        // A line is complete with its last character; only its line end may be missing.
        const kept = lines(records.slice(0, 3))
          .split('\n')
          .reduce(
            ({ end, count }, line) => ({
              end: end + Buffer.byteLength(line) + 1,
              count: count + Number(line !== '' && end + Buffer.byteLength(line) <= cut),
            }),
            { end: 0, count: 0 },
          ).count;
        expect((await readJournal(path)).records).toEqual(records.slice(0, kept));
        await append(path, failedRecord());
        expect(await readJournal(path)).toEqual({ records: [...records.slice(0, kept), failedRecord()], warnings: [] });
      }),
      { numRuns: 60 },
    );
  });

  it('says what a torn last line means, once', async () => {
    const path = journalOf(`${lines(records)}{"format":1,"che`);
    const warning = {
      where: `${path}:4`,
      what: 'the last line is torn (16 characters without an end): dse was stopped while it wrote',
      hint: 'Nothing is lost but that one line; its trial counts as not run. The next `dse run` removes the line and repeats the trial.',
    };
    expect((await readJournal(path)).warnings).toEqual([warning]);
    expect(await append(path, failedRecord())).toEqual([warning]);
    expect((await readJournal(path)).warnings).toEqual([]);
  });

  it('with a damaged line in the middle is refused and left as it is', async () => {
    const text = `${lines(records.slice(0, 1))}{"broken\n${lines(records.slice(1))}`;
    const path = journalOf(text);
    await expect(readJournal(path)).rejects.toThrow(`${path}:2  this line is not a journal line ("{"broken")`);
    await expect(append(path, failedRecord())).rejects.toThrow(`${path}:2`);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('whose last line is damaged but complete is refused: that was a recorded trial', async () => {
    await expect(readJournal(journalOf(`${lines(records)}{"broken\n`))).rejects.toThrow('journal.jsonl:4');
  });

  it('may be joined from several journals, with empty lines between', async () => {
    const path = journalOf(`${lines(records.slice(0, 1))}\n\n`);
    appendFileSync(path, lines(records.slice(1)));
    expect((await readJournal(path)).records).toEqual(records);
  });

  it('that is not there is named', async () => {
    await expect(readJournal('/nowhere/journal.jsonl')).rejects.toThrow(
      '/nowhere/journal.jsonl  could not read this file: ENOENT',
    );
  });

  it('takes records in the order they were handed over, also when nobody waits between', async () => {
    const path = journalOf('');
    const { writer } = await openJournal(path, () => undefined);
    await Promise.all(records.map((record) => writer.append(record)));
    await writer[Symbol.asyncDispose]();
    expect((await readJournal(path)).records).toEqual(records);
  });
});
