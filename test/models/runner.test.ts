import { expect, test } from 'vitest';
import { openRunner } from '../../src/models/runner.ts';
import { residualAddition } from './residual-addition.ts';
import { randomInputs } from './run-model.ts';

test('a branch of an addition can be watched, and does not end the process', async () => {
  const inputs = randomInputs(residualAddition(['sum']), 2);
  const elementsOf = async (output: 'sum' | 'short', watching: string[], name: string) => {
    await using runner = await openRunner(residualAddition([output]), 'test', watching);
    return Array.from((await runner.run(inputs)).get(name)?.data as Float32Array);
  };
  const expected = await elementsOf('short', [], 'short');
  const watched = await elementsOf('sum', ['short'], 'short');
  expect(watched).toHaveLength(2 * 34 * 16);
  for (const [index, value] of watched.entries()) expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4);
});
