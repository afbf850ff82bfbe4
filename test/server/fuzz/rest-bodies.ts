import { type Choice, mangle } from './choice.ts';
import { converse } from './converse.ts';
import { binaryPost, goodRequest, post } from './rest-requests.ts';
import { binaryRequest, drawSum, isSum, isSumOfText, type JsonRequest, jsonRequest } from './sum-model.ts';
import type { CaseKind, Expected } from './types.ts';

const WRONG: Expected = { refused: true };

/** Values that are right nowhere in a tensor's description. */
export const ODD_VALUES: readonly unknown[] = [
  ...[null, true, -1, 1.5, 2 ** 53, 1e308, '', 'x', '9'.repeat(400), '\ud83d\ude00'.repeat(60)],
  ...[{}, [[]], [null], [-1, 3], [0.5, 3], [2 ** 31, 3], [2 ** 52, 2 ** 52], Array(100).fill(1), { a: [1] }],
];

/** Ways to spoil a request so that it must be refused. */
const SPOIL: readonly ((choose: Choice, json: JsonRequest) => void)[] = [
  (choose, json) => (choose.of(json.inputs as JsonRequest[]).shape = choose.of(ODD_VALUES)),
  (choose, json) =>
    (choose.of(json.inputs as JsonRequest[]).datatype = choose.of([
      ...ODD_VALUES,
      'FP64',
      'BYTES',
      'fp32',
      '__proto__',
    ])),
  (choose, json) =>
    (choose.of(json.inputs as JsonRequest[]).name = choose.of([...ODD_VALUES, 'c', '__proto__', 'constructor'])),
  (choose, json) => (choose.of(json.inputs as JsonRequest[]).data = choose.of(ODD_VALUES)),
  (choose, json) =>
    (choose.of(json.inputs as JsonRequest[]).data[choose.integer(0, 2)] = choose.of([
      'x',
      null,
      {},
      [1],
      1e39,
      true,
      '1',
    ])),
  (choose, json) => json.inputs.push(choose.of([...(json.inputs as JsonRequest[]), ...ODD_VALUES])),
  (_choose, json) => json.inputs.pop(),
  (choose, json) => (json.inputs = choose.of(ODD_VALUES)),
  (choose, json) => delete choose.of(json.inputs as JsonRequest[])[choose.of(['name', 'shape', 'datatype', 'data'])],
  (choose, json) => choose.of(json.inputs as JsonRequest[]).data.push(...Array(choose.of([1, 3, 999])).fill(0)),
  (choose, json) => (json.id = choose.of([1, 0.5, {}, [], true])),
  (choose, json) =>
    (json.parameters = choose.of<unknown>(['x', 1, [], { binary_data_output: 1 }, { timeout: -1 }, { timeout: '5' }])),
  (choose, json) =>
    (json.outputs = choose.of<unknown>([
      'x',
      {},
      [1],
      [{}],
      [{ name: 'sum' }, { name: 'sum' }],
      [{ name: 'other' }],
      [{ name: 'sum', parameters: 3 }],
    ])),
  (choose, json) =>
    (choose.of(json.inputs as JsonRequest[]).parameters = choose.of<unknown>([
      3,
      [],
      { binary_data_size: 12 },
      { binary_data_size: -1 },
    ])),
  (_choose, json) => (json.inputs[0].shape = [json.inputs[0].shape[0] + 1, 3]),
  (choose, json) => {
    // Each input right by itself, but no sum of the two.
    json.inputs[0] = { name: 'a', datatype: 'FP32', shape: [choose.integer(50, 60), 3], data: [] };
    json.inputs[0].data = Array(json.inputs[0].shape[0] * 3).fill(1);
    json.inputs[1].shape = [2, 3];
    json.inputs[1].data = [1, 2, 3, 4, 5, 6];
  },
];

/** Sends a request, and mostly a right one behind it over the same connection: nothing of the first may be taken for the second. */
async function ask(choose: Choice, port: number, bytes: Buffer, expected: Expected) {
  const next = choose.chance(0.6) ? goodRequest(choose) : undefined;
  const steps = [bytes, ...(next === undefined ? [] : [next.bytes])];
  return converse(port, { steps, expected: [expected, ...(next === undefined ? [] : [next.expected])] });
}

export const spoiltJson: CaseKind = (choose, { port }) => {
  const json = jsonRequest(drawSum(choose, true));
  choose.of(SPOIL)(choose, json);
  return ask(choose, port, post(JSON.stringify(json)), WRONG);
};

export const mangledJson: CaseKind = (choose, { port }) => {
  const text = JSON.stringify({ ...jsonRequest(drawSum(choose, true)), id: 'a1' });
  const body = choose.chance(0.1) ? deeplyNested(choose) : mangle(choose, Buffer.from(text));
  return ask(choose, port, post(body), { refused: true, answer: isSumOfText(body.toString()) });
};

function deeplyNested(choose: Choice): Buffer {
  const depth = choose.of([100, 5_000, 40_000]);
  const nest = '['.repeat(depth) + ']'.repeat(depth);
  return Buffer.from(
    choose.of([
      nest,
      `{"inputs":${nest}}`,
      `{"inputs":[{"name":"a","datatype":"${choose.of(['FP32', 'INT64'])}","shape":[1,3],"data":${nest}}]}`,
      `{"inputs":[],"parameters":${nest}}`,
    ]),
  );
}

/** Right requests at the edge: long ids, odd numbers, unknown members, names out of order. */
export const oddJson: CaseKind = (choose, { port }) => {
  const sum = drawSum(choose, true);
  const json = jsonRequest(sum);
  const id = choose.of(['', 'x'.repeat(50_000), '\ud83d\ude00'.repeat(100), '\u0000\r\n"', undefined]);
  if (choose.chance(0.3)) json.inputs.reverse();
  if (choose.chance(0.3)) json.parameters = { timeout: choose.of([0, 6e7, 1e15, 1e300]), other: [{}] };
  if (choose.chance(0.3)) json.__proto = { x: 1 };
  return ask(choose, port, post(JSON.stringify({ ...json, id })), { refused: false, answer: isSum(sum, id) });
};

export const binaryBodies: CaseKind = (choose, { port }) => {
  const sum = drawSum(choose, false);
  const { json, binary } = binaryRequest(sum);
  const length = Buffer.byteLength(JSON.stringify(json));
  const right: Expected = { refused: false, answer: isSum(sum) };
  const { inputs } = json;
  switch (choose.of(['right', 'cut', 'more', 'size', 'length', 'mangled', 'none', 'swapped', 'raw'])) {
    case 'right':
      return ask(choose, port, binaryPost(json, binary), right);
    case 'cut':
      return ask(choose, port, binaryPost(json, binary.subarray(0, choose.integer(0, binary.length - 1))), WRONG);
    case 'more':
      return ask(choose, port, binaryPost(json, Buffer.concat([binary, choose.bytes(choose.integer(1, 50))])), WRONG);
    case 'size':
      choose.of(inputs as JsonRequest[]).parameters.binary_data_size = choose.of<unknown>([
        -1,
        1.5,
        2 ** 53,
        'x',
        null,
        0,
        1,
        4,
        {},
      ]);
      return ask(choose, port, binaryPost(json, binary), WRONG);
    case 'length': {
      const wrong = choose.of<string | number>([
        0,
        1,
        length - 1,
        length + 1,
        length + 4,
        10 ** 9,
        10 ** 14,
        '-1',
        '+5',
        '0x10',
        'x',
        '',
        '1e2',
        '9'.repeat(30),
        `${length},${length}`,
      ]);
      return ask(choose, port, binaryPost(json, binary, wrong), WRONG);
    }
    case 'mangled': {
      const bytes = choose.bytes(binary.length);
      const drawn = new Float32Array(new Uint8Array(bytes).buffer);
      const half = drawn.length / 2;
      return ask(choose, port, binaryPost(json, bytes), {
        refused: false,
        answer: isSum({ a: drawn.slice(0, half), b: drawn.slice(half) }),
      });
    }
    case 'none':
      return ask(choose, port, post(JSON.stringify(json)), WRONG);
    case 'swapped':
      inputs.reverse();
      return ask(choose, port, binaryPost(json, binary), { refused: false, answer: isSum(sum) });
    default:
      return ask(choose, port, post(binary, { 'inference-header-content-length': 0 }), WRONG);
  }
};
