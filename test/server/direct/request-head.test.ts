import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recognizeHead } from '../../../src/server/direct/request-head.ts';

const lines = (...text: string[]) => text.join('\r\n');

test('a plain request is recognised, with its fields in lower case and its length', () => {
  expect(
    recognizeHead(
      lines('POST /v2/models/m/infer HTTP/1.1', 'Host: a:1', 'Content-Length: 12', 'X-Note:  two words \t'),
    ),
  ).toEqual({
    method: 'POST',
    target: '/v2/models/m/infer',
    headers: { host: 'a:1', 'content-length': '12', 'x-note': 'two words' },
    contentLength: 12,
  });
});

test('without a Content-Length there is no body', () => {
  expect(recognizeHead(lines('GET /v2 HTTP/1.1', 'Host: a'))?.contentLength).toBe(0);
});

test.each([
  ['an older version', lines('GET / HTTP/1.0', 'Host: a')],
  ['another method', lines('PUT / HTTP/1.1', 'Host: a')],
  ['an absolute target', lines('GET http://a/ HTTP/1.1', 'Host: a')],
  ['a space in the target', lines('GET /a b HTTP/1.1', 'Host: a')],
  ['no host', 'GET / HTTP/1.1'],
  ['a space before the colon', lines('GET / HTTP/1.1', 'Host : a')],
  ['a folded field', lines('GET / HTTP/1.1', 'Host: a', ' b')],
  ['a bare line feed', 'GET / HTTP/1.1\r\nHost: a\nX: b'],
  ['a control character', lines('GET / HTTP/1.1', 'Host: a\0b')],
  ['a field twice', lines('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'content-length: 1')],
  ['a length that is no number', lines('POST / HTTP/1.1', 'Host: a', 'Content-Length: +1')],
  ['a chunked body', lines('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')],
  ['a wish to be told to continue', lines('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Expect: 100-continue')],
  ['an upgrade', lines('GET / HTTP/1.1', 'Host: a', 'Connection: upgrade', 'Upgrade: websocket')],
  ['a connection to be closed', lines('GET / HTTP/1.1', 'Host: a', 'Connection: close')],
  ['an encoded body', lines('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Encoding: gzip')],
])('%s is left to Node', (_what, text) => {
  expect(recognizeHead(text)).toBeUndefined();
});

test('whatever is recognised reads back the same, and no text makes it fail', () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/).filter((name) => !SPECIAL.has(name));
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  fc.assert(
    fc.property(fc.dictionary(token, value), fc.nat(), (fields, length) => {
      const own = Object.entries(fields).map(([name, text]) => `${name}: ${text}`);
      const head = recognizeHead(lines('POST /x HTTP/1.1', 'Host: a', `Content-Length: ${length}`, ...own));
      expect(head?.headers).toEqual({ ...fields, host: 'a', 'content-length': String(length) });
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => recognizeHead(text) === undefined));
});

const SPECIAL = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'trailer',
  'te',
  'content-encoding',
]);
