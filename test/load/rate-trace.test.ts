import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRateTrace } from '../../src/load/index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dse-trace-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const file = join(folder, 'rates.txt');
  writeFileSync(file, text);
  return file;
}

test('a trace is one rate per line, comments and empty lines left out', () => {
  expect(readRateTrace(write('# requests per minute\r\n600\r\n\r\n0\r\n1.5e3\r\n'))).toEqual([600, 0, 1500]);
});

test('every line that is not a rate is named', () => {
  const file = write('10\nfast\n-3\n');
  expect(() => readRateTrace(file)).toThrow(`${file}:2  "fast" is not a rate`);
  expect(() => readRateTrace(file)).toThrow(`${file}:3  "-3" is not a rate`);
});

test('a trace of nothing and a file that is not there are refused', () => {
  expect(() => readRateTrace(write('0\n0\n'))).toThrow('the trace has no rate above 0');
  expect(() => readRateTrace(join(folder, 'gone.txt'))).toThrow('the trace cannot be read: ENOENT');
});
