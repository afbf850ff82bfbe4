import { allTypes } from '../../engine/tiny-models.ts';
import type { Choice } from './choice.ts';
import { converse } from './converse.ts';
import { post } from './rest-requests.ts';
import type { JsonRequest } from './sum-model.ts';
import type { CaseKind } from './types.ts';

/** Names on the wire and one value that each type holds, and several it does not. */
const WIRE: Readonly<Record<(typeof allTypes)[number], readonly [name: string, right: unknown, ...wrong: unknown[]]>> =
  {
    float32: ['FP32', 'NaN', 'nan', 3.5e38, true],
    float64: ['FP64', '-Infinity', 'inf', null, '1'],
    float16: ['FP16', 'Infinity', 65520, -1e9, []],
    int8: ['INT8', -128, 128, 1.5, 'x'],
    int16: ['INT16', 32767, 32768, '1.0', null],
    int32: ['INT32', -2147483648, 2147483648, 1e20, {}],
    int64: ['INT64', '-9223372036854775808', '9223372036854775808', '1e3', 0.5, [[[]]]],
    uint8: ['UINT8', 255, 256, -1, '0x1'],
    uint16: ['UINT16', 65535, 65536, -1, true],
    uint32: ['UINT32', 4294967295, 4294967296, -1, ''],
    uint64: ['UINT64', '18446744073709551615', '18446744073709551616', '-1', ' 1'],
    bool: ['BOOL', true, 2, 'true', null],
    string: ['BYTES', '\u0001\ud83d\ude00', 1, null, {}],
  };

/** A model that gives back two elements of every type: one is spoilt, or none, and then what comes back is what was sent. */
export const elementTypes: CaseKind = (choose, { port }) => {
  const inputs: JsonRequest[] = allTypes.map((type) => {
    const [datatype, right] = WIRE[type];
    return { name: `in_${type}`, datatype, shape: [1, 2], data: [right, right] };
  });
  const isSpoilt = choose.chance(0.7);
  if (isSpoilt) spoil(choose, inputs);
  const answer = (body: Buffer) => {
    const { outputs } = JSON.parse(body.toString());
    const different = outputs.find((output: JsonRequest, index: number) => {
      const [sent] = inputs[index].data;
      return output.data.some((value: unknown) => String(value) !== String(sent) && !sameInteger(body, sent));
    });
    return different === undefined ? undefined : `gave back something else: ${JSON.stringify(different)}`;
  };
  const body = JSON.stringify({ inputs });
  const expected = isSpoilt ? { refused: true } : { refused: false, answer };
  return converse(port, { steps: [post(body, {}, '/v2/models/every/infer')], expected: [expected] });
};

/** `JSON.parse` rounds integers of 64 bits; their digits are looked for in the text. */
function sameInteger(body: Buffer, sent: unknown): boolean {
  return typeof sent === 'string' && /^-?\d{16,}$/.test(sent) && body.toString().includes(sent);
}

function spoil(choose: Choice, inputs: JsonRequest[]): void {
  const type = choose.of(allTypes);
  const [, right, ...wrong] = WIRE[type];
  const input = inputs.find(({ name }) => name === `in_${type}`);
  switch (choose.of(['element', 'element', 'depth', 'type'])) {
    case 'element':
      input.data = [right, choose.of(wrong)];
      return;
    case 'depth':
      input.data = nest(choose.of([3, 200, 3_000]));
      return;
    default:
      input.datatype = choose.of(allTypes.filter((other) => other !== type).map((other) => WIRE[other][0]));
  }
}

function nest(depth: number): unknown {
  let nested: unknown = 1;
  for (let i = 0; i < depth; i++) nested = [nested];
  return nested;
}
