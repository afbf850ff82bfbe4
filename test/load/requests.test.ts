import { describe, expect, test } from 'vitest';
import { encodeHttpRequest } from '../../src/load/generator/requests.ts';

const url = new URL('http://127.0.0.1:8080/v2/models/a%20b/infer?x=1');

test('a request is laid out as HTTP/1.1 with its host, its length and its own headers', () => {
  const bytes = encodeHttpRequest('post', url, { 'X-Kind': 'digit' }, Uint8Array.of(0xff, 0x00, 0x0a));
  expect(bytes.toString('latin1')).toBe(
    'POST /v2/models/a%20b/infer?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 3\r\nX-Kind: digit\r\n\r\n\xff\x00\n',
  );
});

test('headers that are given are not given twice', () => {
  const text = encodeHttpRequest(
    'GET',
    url,
    { host: 'elsewhere', 'content-length': '2' },
    Uint8Array.of(1, 2),
  ).toString();
  expect(text.match(/host/gi)).toHaveLength(1);
  expect(text.match(/content-length/gi)).toHaveLength(1);
});

describe('refused', () => {
  test.each([
    ['GET / HTTP/1.1\r\nEvil: ', {}, 'is not an HTTP method'],
    ['GET', { 'Bad Name': 'x' }, '"Bad Name: x" is not an HTTP header'],
    ['GET', { Name: 'x\r\nEvil: y' }, 'is not an HTTP header'],
  ])('method %j, headers %j', (method, headers, message) => {
    expect(() => encodeHttpRequest(method, url, headers, undefined)).toThrow(message);
  });
});
