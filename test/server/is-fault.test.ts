import { expect, test } from 'vitest';
import { KserveError } from '../../src/kserve/index.ts';
import { isFault } from '../../src/server/is-fault.ts';

test.each([
  ['what the request brought about', new KserveError(400, 'a shape'), false],
  ['a full queue', new KserveError(429, 'full'), false],
  ['a model that is not ready, told when that came about', new KserveError(503, 'unloaded'), false],
  ['a deadline that is over', new KserveError(504, 'late'), false],
  ['a run that failed', new KserveError(500, 'failed'), true],
  ['an error of the code', new TypeError('undefined is not a function'), true],
])('%s: is it written into the log?', (_what, error, expected) => {
  expect(isFault(error)).toBe(expected);
});
