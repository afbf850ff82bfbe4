import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Choice } from './choice.ts';
import type { CaseKind } from './types.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = h2Frame(4, 0, 0);
const LEAVES_AFTER_MS = 50;

function h2Frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length & 0xffffff, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

function draw(choose: Choice): Buffer {
  const frame = () =>
    h2Frame(choose.integer(0, 12), choose.integer(0, 255), choose.integer(0, 9), choose.bytes(choose.integer(0, 60)));
  switch (choose.of(['bytes', 'text', 'preface', 'frames', 'huge', 'resets', 'windows', 'settings', 'continuations'])) {
    case 'bytes':
      return choose.bytes(choose.integer(1, 300));
    case 'text':
      return Buffer.from(
        choose.of(['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'POST /v2 HTTP/1.1\r\n\r\n', '\u0016\u0003\u0001']),
      );
    case 'preface':
      return PREFACE.subarray(0, choose.integer(0, PREFACE.length));
    case 'huge':
      return Buffer.concat([PREFACE, SETTINGS, h2Frame(choose.integer(0, 9), 0, 1, choose.bytes(20), 0xffffff)]);
    case 'resets':
      return Buffer.concat([
        PREFACE,
        SETTINGS,
        ...Array.from({ length: 50 }, (_, i) => h2Frame(3, 0, 2 * i + 1, Buffer.alloc(4))),
      ]);
    case 'windows':
      return Buffer.concat([
        PREFACE,
        SETTINGS,
        h2Frame(8, 0, 0, Buffer.from('7fffffff', 'hex')),
        h2Frame(8, 0, 0, Buffer.alloc(4)),
      ]);
    case 'settings':
      return Buffer.concat([PREFACE, h2Frame(4, 0, 0, choose.bytes(6 * choose.integer(1, 20)))]);
    case 'continuations':
      return Buffer.concat([
        PREFACE,
        SETTINGS,
        h2Frame(1, 0, 1, Buffer.of(0x82)),
        ...Array(40).fill(h2Frame(9, 0, 1, Buffer.alloc(100))),
      ]);
    default:
      return Buffer.concat([PREFACE, SETTINGS, ...Array.from({ length: choose.integer(1, 8) }, frame)]);
  }
}

/**
 * Bytes that are no gRPC over a connection of their own, which the client then closes, or its half, or resets.
 *
 * After some of them Node closes nothing until the server's next ping, so the client does not wait for it: what the server keeps open is counted in the end.
 */
export const grpcJunk: CaseKind = (choose, { grpcPort }) =>
  new Promise((resolve) => {
    const socket = connect({ port: grpcPort, host: '127.0.0.1' });
    const bytes = draw(choose);
    const end = choose.of(['half', 'close', 'reset']);
    const waitMs = choose.of([0, 0, 5]);
    const timer = setTimeout(() => socket.destroy(), waitMs + LEAVES_AFTER_MS);
    socket.on('error', () => {}).resume();
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ ending: 'closed', violation: undefined });
    });
    socket.write(bytes, async () => {
      await sleep(waitMs);
      if (end === 'reset') socket.resetAndDestroy();
      else if (end === 'half') socket.end();
      else socket.destroySoon();
    });
  });
