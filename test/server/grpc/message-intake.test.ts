import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadInferenceProto } from '../../../src/kserve/index.ts';
import { BufferPool } from '../../../src/server/buffer-pool.ts';
import { MessageIntake } from '../../../src/server/grpc/message-intake.ts';
import { framed } from '../fuzz/grpc-call.ts';

const LIMIT = 10_000;
const { service } = await loadInferenceProto();
const method = service.ModelInfer as NonNullable<typeof service.ModelInfer>;

/** A pool that counts what is out. */
class CountingPool extends BufferPool {
  out = 0;
  override take(size: number): ArrayBuffer {
    this.out++;
    return super.take(size);
  }
  override give(buffer: ArrayBuffer): void {
    this.out--;
    super.give(buffer);
  }
}

function intakeOf(...pieces: readonly Uint8Array[]) {
  const pool = new CountingPool(LIMIT);
  const intake = new MessageIntake(LIMIT, pool);
  for (const piece of pieces) intake.add(piece);
  return { intake, pool };
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...pieces, bytes.subarray(at)];
}

describe('a message that arrives in pieces', () => {
  it('is put together from any of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.array(fc.nat(300)), (message, lengths) => {
        const { intake } = intakeOf(...cut(framed(message), lengths));
        expect(intake.take().bytes).toEqual(Buffer.from(message));
      }),
    );
  });

  it('lies in memory of the pool with its first raw tensor aligned', () => {
    for (let letters = 0; letters < 9; letters++) {
      const raw = Buffer.from(new Float64Array([1, 2, 3]).buffer);
      const message = method.requestSerialize({ model_name: 'x'.repeat(letters), raw_input_contents: [raw] });
      const { intake, pool } = intakeOf(...cut(framed(message), [message.length - 10]));
      const { bytes, memory } = intake.take();
      expect(bytes).toEqual(message);
      expect(bytes.buffer).toBe(memory);
      expect((bytes.byteOffset + bytes.indexOf(raw)) % 8).toBe(0);
      expect(pool.out).toBe(1);
    }
  });

  it('that nobody takes gives its memory back, once', () => {
    const { intake, pool } = intakeOf(framed(Buffer.alloc(100)).subarray(0, 50));
    expect(pool.out).toBe(1);
    intake.drop();
    intake.drop();
    expect(pool.out).toBe(0);
  });
});

describe('what is no message', () => {
  const codeOf = (act: () => unknown): unknown => {
    try {
      act();
    } catch (error) {
      return (error as { code: status }).code;
    }
    return undefined;
  };

  it('is refused by its prefix, before memory is taken, where it is too long or compressed', () => {
    const { intake, pool } = intakeOf();
    expect(codeOf(() => intake.add(framed(Buffer.alloc(LIMIT + 1))))).toBe(status.RESOURCE_EXHAUSTED);
    expect(codeOf(() => intakeOf(framed(Buffer.alloc(3), { flag: 1 })))).toBe(status.INTERNAL);
    expect(pool.out).toBe(0);
    expect(intakeOf(framed(Buffer.alloc(LIMIT))).intake.take().bytes.length).toBe(LIMIT);
  });

  it('is refused where there are two, none, or a part of one', () => {
    const message = framed(Buffer.of(1, 2, 3));
    expect(codeOf(() => intakeOf(Buffer.concat([message, message])))).toBe(status.UNIMPLEMENTED);
    expect(codeOf(() => intakeOf(message, message))).toBe(status.UNIMPLEMENTED);
    expect(codeOf(() => intakeOf(framed(Buffer.alloc(0)), message))).toBe(status.UNIMPLEMENTED);
    expect(codeOf(() => intakeOf().intake.take())).toBe(status.UNIMPLEMENTED);
    expect(codeOf(() => intakeOf(message.subarray(0, 4)).intake.take())).toBe(status.INTERNAL);
    expect(codeOf(() => intakeOf(message.subarray(0, 7)).intake.take())).toBe(status.INTERNAL);
  });
});
