import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadInferenceProto, startOfRawInput } from '../../src/kserve/index.ts';

const { service } = await loadInferenceProto();
const encode = (message: object): Buffer =>
  (service.ModelInfer as NonNullable<typeof service.ModelInfer>).requestSerialize(message);

/** Long enough to be found nowhere else in a message. */
const MARK = Buffer.from('the bytes of the first raw tensor');

describe('the start of the first raw tensor', () => {
  it('is found behind any fields, from the beginning of the message alone', () => {
    const text = fc.string({ maxLength: 300 });
    const input = fc.record({ name: text, datatype: text, shape: fc.array(fc.nat(), { maxLength: 5 }) });
    const message = fc.record({ model_name: text, id: text, inputs: fc.array(input, { maxLength: 3 }) });
    fc.assert(
      fc.property(message, fc.nat(40), (fields, cut) => {
        const bytes = encode({ ...fields, raw_input_contents: [MARK, MARK] });
        const start = bytes.indexOf(MARK);
        expect(startOfRawInput(bytes)).toBe(start);
        expect(startOfRawInput(bytes.subarray(0, start + cut))).toBe(start);
        expect(startOfRawInput(bytes.subarray(0, Math.max(0, start - 1 - cut)))).toBeUndefined();
      }),
    );
  });

  it('is not told where there is none, or no message', () => {
    expect(startOfRawInput(encode({ model_name: 'm' }))).toBeUndefined();
    expect(startOfRawInput(Buffer.alloc(0))).toBeUndefined();
    expect(startOfRawInput(Buffer.of(0x08, 1, 0x3a, 1, 0))).toBeUndefined();
    expect(startOfRawInput(Buffer.alloc(100, 0xff))).toBeUndefined();
    expect(startOfRawInput(Buffer.of(0x0a, ...Array(20).fill(0xff), 0))).toBeUndefined();
  });
});
