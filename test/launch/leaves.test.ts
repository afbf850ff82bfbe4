import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { createRunLabel, isRunAlive } from '../../src/launch/index.ts';
import { openServerLog } from '../../src/launch/server-log.ts';
import { parsePsTimeUs } from '../../src/launch/usage.ts';
import { temporaryDir } from './fixture.ts';

describe('a run label', () => {
  test('is alive as long as its process', () => {
    expect(isRunAlive(createRunLabel())).toBe(true);
  });

  test('differs between two runs of one process', () => {
    expect(createRunLabel()).not.toBe(createRunLabel());
  });

  test('is dead when its process is gone', async () => {
    const ended = execa('true');
    await ended;
    const [scope, , startedAt, random] = createRunLabel().split('-');
    expect(isRunAlive([scope, ended.pid, startedAt, random].join('-'))).toBe(false);
  });

  test('is dead when its process id was given to another process', () => {
    const [scope, pid, startedAt, random] = createRunLabel().split('-');
    expect(isRunAlive([scope, pid, Number(startedAt) - 100, random].join('-'))).toBe(false);
  });

  test('of another process id namespace, or that is none, is not for us to call dead', () => {
    const [, ...rest] = createRunLabel().split('-');
    expect(isRunAlive(['00000000', ...rest].join('-'))).toBe(true);
    expect(isRunAlive('nightly')).toBe(true);
  });
});

describe("a server's log", () => {
  const logFile = () => join(temporaryDir(), 'server.log');

  test('keeps the last 20 lines at hand, the unfinished one included', () => {
    const log = openServerLog(logFile());
    for (let line = 1; line <= 30; line++) log.append(`line ${line}\nunfin`.slice(0, line === 30 ? undefined : -5));
    log.append('ished');
    expect(log.lastLines()).toHaveLength(20);
    expect(log.lastLines().slice(-2)).toEqual(['line 30', 'unfinished']);
    log.close();
  });

  test('is cut at its bound, says so once, and goes on remembering the last lines', () => {
    const file = logFile();
    const log = openServerLog(file, 100);
    for (let line = 10; line < 60; line++) log.append(`line ${line}\n`);
    log.close();
    const text = readFileSync(file, 'utf8');
    expect(text.slice(0, 100)).toHaveLength(100);
    expect(text.slice(100)).toBe('\n[dse: log cut here, it reached 0.0001 MB]\n');
    expect(log.lastLines().at(-1)).toBe('line 59');
  });

  test('is appended to, and what was there counts towards the bound', () => {
    const file = logFile();
    for (let launch = 1; launch <= 3; launch++) {
      const log = openServerLog(file, 20);
      log.append(`launch ${launch}\n`);
      log.close();
    }
    expect(readFileSync(file, 'utf8')).toMatch(/^launch 1\nlaunch 2\nla\n\[dse: log cut/);
  });

  test('on a full disk does not disturb the server', () => {
    const log = openServerLog('/dev/full');
    log.append('one\n');
    log.append('two\n');
    expect(log.lastLines().join('\n')).toMatch(/could not be written: ENOSPC.*\none\ntwo/);
    log.close();
  });
});

test.each([
  ['0:00.53', 0.53],
  ['  2:03.10\n', 123.1],
  ['01:00:02', 3602],
  ['1-00:00:01', 86401],
])('ps writes %j for a CPU time', (text, seconds) => {
  expect(parsePsTimeUs(text)).toBeCloseTo(seconds * 1e6, 3);
});

test('what is no CPU time of ps is undefined', () => {
  expect(parsePsTimeUs('')).toBeUndefined();
});
