import type { Choice } from './choice.ts';
import { converse, type Step } from './converse.ts';
import { goodRequest, INFER_PATH } from './rest-requests.ts';
import type { CaseKind, Expected } from './types.ts';

const WRONG: Expected = { refused: true };

/** A right request in pieces with pauses between them. */
export const slow: CaseKind = (choose, { port }) => {
  const { bytes, expected } = goodRequest(choose);
  return converse(port, { steps: inPieces(choose, bytes, () => choose.integer(1, 25)), expected: [expected] });
};

function inPieces(choose: Choice, bytes: Buffer, pauseMs: () => number): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = choose.of([1, 3, 40, 200, 2_000]);
    const end = steps.length > 20 ? bytes.length : at + size;
    steps.push(bytes.subarray(at, end), pauseMs());
    at = end;
  }
  return steps;
}

/** The client closes its half in the middle of a request, or behind a whole one that is still to be answered. */
export const halfClosed: CaseKind = (choose, { port }) => {
  const { bytes, expected } = goodRequest(choose);
  if (choose.chance(0.5)) return converse(port, { steps: [bytes, ...pause(choose), 'end'], expected: [expected] });
  const cut = choose.integer(0, bytes.length - 1);
  return converse(port, {
    steps: [bytes.subarray(0, cut), ...pause(choose), 'end'],
    expected: [WRONG],
    mayClose: cut === 0,
  });
};

/** The client resets the connection before, in, or behind a request. */
export const resets: CaseKind = (choose, { port }) => {
  const { bytes, expected } = goodRequest(choose);
  const cut = choose.integer(0, bytes.length);
  return converse(port, {
    steps: [bytes.subarray(0, cut), ...pause(choose), 'reset'],
    expected: [expected],
    mayClose: true,
  });
};

function pause(choose: Choice): number[] {
  return choose.chance(0.3) ? [choose.integer(0, 10)] : [];
}

/** Several requests at once; every one is answered, in its turn, also where the client closes its half behind them. */
export const pipelined: CaseKind = (choose, { port }) => {
  const requests = Array.from({ length: choose.integer(2, 6) }, () => draw(choose));
  const bytes = Buffer.concat(requests.map((request) => request.bytes));
  const steps: Step[] = choose.chance(0.5) ? [bytes] : inPieces(choose, bytes, () => choose.integer(0, 2));
  if (choose.chance(0.4)) steps.push('end');
  return converse(port, { steps, expected: requests.map(({ expected }) => expected) });
};

function draw(choose: Choice): { bytes: Buffer; expected: Expected } {
  if (choose.chance(0.7)) return goodRequest(choose);
  if (choose.chance(0.5))
    return {
      bytes: Buffer.from('GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n'),
      expected: { refused: false, answer: () => undefined },
    };
  return {
    bytes: Buffer.from('POST /v2/models/none/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}'),
    expected: WRONG,
  };
}

/** Bodies past the limit: announced, announced and sent, chunked. Their client may lose the reply while it is still sending. */
export const oversized: CaseKind = (choose, { port, bodyLimitBytes }) => {
  const length = bodyLimitBytes + choose.of([1, 100, 100_000]);
  const body = Buffer.alloc(length, ' ');
  const head = (fields: string) => Buffer.from(`POST ${INFER_PATH} HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`);
  const steps: readonly Step[] = choose.of([
    [head(`Content-Length: ${length}`)],
    [head(`Content-Length: ${length}`), body],
    [head('Transfer-Encoding: chunked'), Buffer.from(`${length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')],
    [head(`Content-Length: ${bodyLimitBytes}`), Buffer.alloc(bodyLimitBytes, ' ')],
  ]);
  return converse(port, { steps, expected: [WRONG], mayClose: true });
};

/** What is no HTTP at all, and then nothing more. */
export const junk: CaseKind = (choose, { port }) => {
  const bytes = choose.of([
    choose.bytes(choose.integer(1, 400)),
    Buffer.from('16030100c8010000c40303', 'hex'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from('\r\n'.repeat(choose.integer(1, 50))),
    Buffer.from('SSH-2.0-x\r\n'),
    Buffer.alloc(40_000, choose.integer(0, 255)),
  ]);
  return converse(port, { steps: [bytes, 'end'], expected: [WRONG], mayClose: true });
};
