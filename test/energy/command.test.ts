import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { openMeter } from '../../src/energy/index.ts';
import { energySpec, temporaryFolder } from './energy-spec.ts';

const open = (command: string) => openMeter(energySpec({ source: 'command', command }));

describe('a command that is to print watts', () => {
  test.each([
    { command: 'echo 12.5', what: 'a number' },
    { command: 'echo " 12.5 W"', what: 'a number with its unit' },
  ])('may print $what', async ({ command }) => {
    await using meter = await open(command);
    expect(meter?.description).toBe(`watts printed by "${command}"`);
  });

  test.each([
    { command: 'echo hello', message: 'printed "hello", which is no number of watts' },
    { command: 'echo -5', message: 'printed "-5", which is no number of watts' },
    { command: 'echo 1; echo 2', message: 'which is no number of watts' },
    { command: 'true', message: 'printed "", which is no number of watts' },
    { command: 'echo no plug >&2; exit 3', message: '"echo no plug >&2; exit 3" ended with 3: no plug' },
    { command: 'kill -9 $$', message: '"kill -9 $$" ended with SIGKILL: ' },
  ])('is refused for "$command"', async ({ command, message }) => {
    await expect(open(command)).rejects.toThrow(message);
  });

  test('ends with the meter, and so does what it started', async () => {
    await using folder = await temporaryFolder();
    const [asked, beat] = [join(folder.path, 'asked'), join(folder.path, 'beat')];
    const hang = `(while sleep 0.02; do date +%s%N > ${beat}; done) | cat`;
    const meter = await open(`if [ -e ${asked} ]; then ${hang}; else touch ${asked}; echo 5; fi`);
    const reading = meter?.read();
    await vi.waitUntil(() => existsSync(beat), { timeout: 5000 });
    await meter?.[Symbol.asyncDispose]();
    await reading;
    const lastBeat = await readFile(beat, 'utf8');
    await sleep(100);
    expect(await readFile(beat, 'utf8')).toBe(lastBeat);
    expect(meter?.faults.map(({ reason }) => reason)).toEqual(['command meter is closed']);
  });
});
