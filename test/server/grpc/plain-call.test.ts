import { expect, it } from 'vitest';
import { readPlainHead } from '../../../src/server/grpc/plain-call.ts';

const PLAIN = {
  ':method': 'POST',
  ':path': '/inference.GRPCInferenceService/ModelInfer',
  'content-type': 'application/grpc',
  te: 'trailers',
};

it('a plain call is one of ModelInfer that sends its message as it is', () => {
  expect(readPlainHead(PLAIN)).toEqual({ timeoutMs: undefined });
  expect(readPlainHead({ ...PLAIN, 'content-type': 'application/grpc+proto', 'grpc-encoding': 'identity' })).toEqual({
    timeoutMs: undefined,
  });
  const others = [
    { ':path': '/inference.GRPCInferenceService/ModelReady' },
    { ':method': 'GET' },
    { 'content-type': 'application/grpc+json' },
    { 'content-type': undefined },
    { 'grpc-encoding': 'gzip' },
    { 'grpc-timeout': '1s' },
    { 'grpc-timeout': '' },
    { 'grpc-timeout': '123456789S' },
  ];
  for (const other of others) expect(readPlainHead({ ...PLAIN, ...other })).toBeUndefined();
});

it('its time-out is in the units of gRPC', () => {
  const timeoutOf = (value: string) => readPlainHead({ ...PLAIN, 'grpc-timeout': value })?.timeoutMs;
  expect(['2H', '3M', '4S', '5m', '6u', '7n', '0S', '99999999H'].map(timeoutOf)).toEqual([
    7_200_000,
    180_000,
    4_000,
    5,
    6e-3,
    7e-6,
    0,
    99_999_999 * 3_600_000,
  ]);
});
