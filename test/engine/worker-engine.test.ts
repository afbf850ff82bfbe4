import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { WorkerEngine } from '../../src/engine/worker-engine.ts';
import { plainSettings } from './tiny-models.ts';

function engineOver(workerCode: string): WorkerEngine {
  return new WorkerEngine(new Worker(workerCode, { eval: true }), [], [], plainSettings);
}

it('rejects pending and later runs when its thread dies, and says why it died', async () => {
  const engine = engineOver(
    `require('node:worker_threads').parentPort.on('message', () => { throw new Error('broken'); })`,
  );
  const runs = [engine.run([]), engine.run([])];
  for (const run of runs) await expect(run).rejects.toMatchObject({ name: 'InferenceError', kind: 'gone' });
  expect((await engine.ended)?.message).toBe('broken');
  await expect(engine.run([])).rejects.toMatchObject({ kind: 'gone' });
  await engine[Symbol.asyncDispose]();
});

it('notices a thread that ends without an error', async () => {
  const engine = engineOver(`require('node:worker_threads').parentPort.on('message', () => process.exit(3))`);
  await expect(engine.run([])).rejects.toMatchObject({ kind: 'gone' });
  expect((await engine.ended)?.message).toBe('its thread ended with code 3');
});
