import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { httpStatusOf } from '../src/grpc-http-status.ts';
import { lostCallOutcome } from '../src/load/generator/lost-call.ts';
import { OUTCOME } from '../src/load/types.ts';

test('every status of gRPC is in HTTP what google.rpc.Code says', () => {
  const codes = Object.values(status).filter((code) => typeof code === 'number');
  // In the order of their numbers, from 0 (OK) to 16 (UNAUTHENTICATED).
  const expected = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
  expect(codes.map(httpStatusOf)).toEqual(expected);
  expect(httpStatusOf(99)).toBe(500);
});

test.each([
  [status.UNAVAILABLE, 'No connection established. Last error: connect ECONNREFUSED', OUTCOME.refused],
  [status.UNAVAILABLE, 'Connection dropped', OUTCOME.reset],
  [status.CANCELLED, 'Received RST_STREAM with code 8', OUTCOME.reset],
  [status.UNAVAILABLE, 'the model is busy', undefined],
  [status.UNIMPLEMENTED, 'Received RST_STREAM', undefined],
])('a call that ends with %i and "%s" is told from an answer', (code, details, outcome) => {
  expect(lostCallOutcome({ code, details } as Parameters<typeof lostCallOutcome>[0])).toBe(outcome);
});
