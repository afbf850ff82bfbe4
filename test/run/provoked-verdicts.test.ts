import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PROVOCATIONS, type Provoked, whyNoQuota } from './provocations.ts';

const isLinux = process.platform === 'linux';

async function provoke(name: keyof typeof PROVOCATIONS): Promise<readonly Provoked[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dse-verdict-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return PROVOCATIONS[name](path.join(folder, 'run'));
}

/** A busy machine may add reasons of its own; the one that was provoked has to be there. */
function expectReasons(provoked: readonly Provoked[]): void {
  for (const { code, how, record } of provoked) {
    const codes = record.state === 'done' ? record.reasons.map((reason) => reason.code) : [record.reason];
    expect({ how, codes }).toEqual({ how, codes: expect.arrayContaining([code]) });
  }
}

test.skipIf(!isLinux)(
  'overload, a late generator, a busy host, few requests and a lost meter are each told',
  {
    timeout: 90_000,
  },
  async () => {
    const provoked = await provoke('on a server of known speed');
    expectReasons(provoked);
    const verdicts = Object.fromEntries(
      provoked.map(({ code, record }) => [code, record.state === 'done' && record.verdict]),
    );
    expect(verdicts).toMatchObject({ 'generator-late': 'invalid', 'host-busy': 'invalid' });
  },
);

test('a server that never settles makes the trial unsteady', { timeout: 60_000 }, async () => {
  expectReasons(await provoke('on a server that slows down'));
});

test('a quota on dse itself makes the trial throttled', { timeout: 90_000 }, async ({ skip }) => {
  const why = whyNoQuota();
  if (why !== undefined) skip(why);
  expectReasons(await provoke('under a quota on dse itself'));
});
