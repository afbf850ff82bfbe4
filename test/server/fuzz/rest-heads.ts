import type { Choice } from './choice.ts';
import { converse, type Step } from './converse.ts';
import { goodRequest, INFER_PATH } from './rest-requests.ts';
import { drawSum, isSum, jsonRequest } from './sum-model.ts';
import type { CaseKind, Expected } from './types.ts';

const WRONG: Expected = { refused: true };
const ANYTHING: Expected = { refused: true, answer: () => undefined };

/** Heads of a right body, `length` being its length, and whether the request is right all the same; `undefined`: either will do. */
const HEADS: readonly (readonly [fields: (length: number) => string, isRight: boolean | undefined])[] = [
  [(n) => `Host: x\r\nContent-Length: ${n}\r\nContent-Length: ${n + 1}\r\n`, false],
  [(n) => `Host: x\r\nContent-Length: ${n}\r\nContent-Length: ${n}\r\n`, undefined],
  [(n) => `Host: x\r\nContent-Length: ${n}, ${n}\r\n`, undefined],
  [() => 'Host: x\r\nContent-Length: -5\r\n', false],
  [() => 'Host: x\r\nContent-Length: abc\r\n', false],
  [() => `Host: x\r\nContent-Length: ${'9'.repeat(40)}\r\n`, false],
  [() => 'Host: x\r\nContent-Length: 999999999999999\r\n', false],
  [() => 'Host: x\r\nContent-Length: 0x10\r\n', false],
  [(n) => `Host: x\r\nContent-Length: ${n}\r\nTransfer-Encoding: chunked\r\n`, false],
  [(n) => `Host: x\r\nTransfer-Encoding: gzip\r\nContent-Length: ${n}\r\n`, false],
  [() => 'Host: x\r\nTransfer-Encoding: gzip\r\n', false],
  [() => 'Host: x\r\nTransfer-Encoding: chunked\r\n', false],
  [(n) => `Content-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\nContent-Length: ${n}\r\n folded: y\r\n`, false],
  [(n) => `Host: x\r\nX-A: y\r\n z\r\nContent-Length: ${n}\r\n`, undefined],
  [(n) => `Host: x\r\nContent-Length : ${n}\r\n`, false],
  [(n) => `Host: x\r\nX-A: ${'y'.repeat(20_000)}\r\nContent-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\n${'X-A: y\r\n'.repeat(3_000)}Content-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\n${'X-A: y\r\n'.repeat(1_500)}Content-Length: ${n}\r\n`, undefined],
  [(n) => `Host: x\r\nX-A: \u0000\u0001\r\nContent-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\nX-\u00e9: y\r\nContent-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\nX-A: \u00e9\r\nContent-Length: ${n}\r\n`, true],
  [(n) => `Host: x\r\nExpect: 100-continue\r\nContent-Length: ${n}\r\n`, true],
  [(n) => `Host: x\r\nExpect: the-impossible\r\nContent-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${n}\r\n`, true],
  [
    (n) =>
      `Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: ${n}\r\n`,
    true,
  ],
  [(n) => `Host: x\r\nContent-Encoding: gzip\r\nContent-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\nContent-Encoding: identity\r\nContent-Length: ${n}\r\n`, true],
  [(n) => `Host: x\r\nContent-Type: \u00e9/;;=\r\nContent-Length: ${n}\r\n`, true],
  [(n) => `Host: x\r\nContent-Type: ${'a'.repeat(5_000)}\r\nContent-Length: ${n}\r\n`, true],
  [(n) => `Host: x\r\nInference-Header-Content-Length: ${n}\r\nContent-Length: ${n}\r\n`, true],
  [
    (n) =>
      `Host: x\r\nInference-Header-Content-Length: ${n}\r\nInference-Header-Content-Length: ${n}\r\nContent-Length: ${n}\r\n`,
    false,
  ],
  [(n) => `Host: x\r\nInference-Header-Content-Length: ${n + 1}\r\nContent-Length: ${n}\r\n`, false],
  [(n) => `Host: a\r\nHost: b\r\nContent-Length: ${n}\r\n`, undefined],
  [(n) => `Host: x\r\nConnection: close\r\nContent-Length: ${n}\r\n`, true],
  [(n) => `Host: x\r\nTE: trailers\r\nTrailer: X-A\r\nContent-Length: ${n}\r\n`, true],
  [(n) => `Host: x\nContent-Length: ${n}\n`, undefined],
  [(n) => `\r\nHost: x\r\nContent-Length: ${n}\r\n`, false],
  [(n) => `Host: x\r\n__proto__: y\r\nconstructor: z\r\nContent-Length: ${n}\r\n`, true],
];

export const heads: CaseKind = (choose, { port }) => {
  const sum = drawSum(choose, true);
  const body = JSON.stringify(jsonRequest(sum));
  const [fields, isRight] = choose.of(HEADS);
  const head = `POST ${INFER_PATH} HTTP/1.1\r\n${fields(body.length)}\r\n`;
  const expected = { refused: isRight !== true, answer: isRight === false ? undefined : isSum(sum) };
  // Without an answer to wait for, what is wrong may end the connection while bytes are still on the way.
  return converse(port, { steps: [Buffer.from(head + body, 'latin1')], expected: [expected], mayClose: false });
};

const METHODS = [
  'GET',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'HEAD',
  'POST',
  'FOO',
  'get',
  'G\u00e9T',
  'CONNECT',
  '',
];
const TARGETS = [
  ...[
    '/',
    '*',
    '',
    '/v2',
    '/v2/',
    '//',
    '///v2',
    '/\\[',
    '/\\a:99999999/',
    '/%zz',
    '/%',
    '/%00',
    '/..',
    '/v2/../metrics',
    '/?',
    '/#',
    '/v2?x=%zz',
  ],
  ...[
    'http://x/v2',
    'http://[/',
    'x',
    '/v2/models/',
    '/v2/models/%/infer',
    '/v2/models/tiny/versions/9/infer',
    '/v2/models/tiny/versions/%ff/ready',
  ],
  ...[
    '/v2/models/__proto__/infer',
    '/v2/models/constructor',
    '/v2/repository/models/none/load',
    '/v2/repository/index',
    '/\u00e9',
    '/a b',
  ],
  ...[
    `/${'a'.repeat(3_000)}`,
    `/v2/models/${'a'.repeat(3_000)}/infer`,
    `/${'a'.repeat(70_000)}`,
    `/v2/models/${'%F0%9F%98%80'.repeat(40)}`,
    '/v2/health/ready',
    '/v2/models/tiny',
  ],
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/9.9',
  'HTTP/1.1 x',
  'http/1.1',
  '',
];

/** Methods, targets and versions of every sort. A reply must be a success or the protocol's error; a line that is none may look incomplete, so the client leaves then. */
export const requestLines: CaseKind = (choose, { port }) => {
  const method = choose.of(METHODS);
  const line = `${method} ${choose.of(TARGETS)} ${choose.of(VERSIONS)}`;
  const length = choose.of(['', 'Content-Length: 0\r\n', 'Content-Length: 2\r\n']);
  const body = length.includes('2') ? '{}' : '';
  const steps: Step[] = [Buffer.from(`${line}\r\nHost: x\r\n${length}\r\n${body}`, 'latin1'), 'end'];
  return converse(port, { steps, expected: [{ ...ANYTHING, isHead: method === 'HEAD' }] });
};

/** Chunked bodies, right and wrong. */
export const chunks: CaseKind = (choose, { port }) => {
  const sum = drawSum(choose, true);
  const body = JSON.stringify(jsonRequest(sum));
  const head = Buffer.from(`POST ${INFER_PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
  const answer = isSum(sum);
  const [isRight, text] = chunked(choose, body);
  const next = isRight ? [goodRequest(choose)] : [];
  return converse(port, {
    steps: [head, Buffer.from(text), ...next.map(({ bytes }) => bytes)],
    expected: [isRight ? { refused: false, answer } : WRONG, ...next.map(({ expected }) => expected)],
  });
};

function chunked(choose: Choice, body: string): readonly [isRight: boolean, text: string] {
  const at = choose.integer(1, body.length - 1);
  const parts = [body.slice(0, at), body.slice(at)]
    .map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
    .join('');
  return choose.of([
    [true, `${parts}0\r\n\r\n`],
    [true, `${parts}0\r\nX-Trailer: y\r\n\r\n`],
    [true, `${body.length.toString(16)};ext=1\r\n${body}\r\n0\r\n\r\n`],
    [false, `${parts}zz\r\n`],
    [false, `${parts}-1\r\n`],
    [false, `${'f'.repeat(20)}\r\n`],
    [false, `${(body.length - 1).toString(16)}\r\n${body}\r\n0\r\n\r\n`],
    [false, `1;${'e'.repeat(30_000)}\r\nx\r\n0\r\n\r\n`],
    [false, `${body.length.toString(16)}\n${body}\n0\n\n`],
    [false, '0\r\n\r\n'],
  ] as const);
}
