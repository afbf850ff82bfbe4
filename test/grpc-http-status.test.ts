import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { httpStatusOf } from '../src/grpc-http-status.ts';

test('every status of gRPC is in HTTP what google.rpc.Code says', () => {
  const codes = Object.values(status).filter((code) => typeof code === 'number');
  // In the order of their numbers, from 0 (OK) to 16 (UNAUTHENTICATED).
  const expected = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
  expect(codes.map(httpStatusOf)).toEqual(expected);
  expect(httpStatusOf(99)).toBe(500);
});
