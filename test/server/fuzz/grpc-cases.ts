import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { loadInferenceProto } from '../../../src/kserve/index.ts';
import { type Choice, mangle } from './choice.ts';
import { framed, type GrpcCase } from './grpc-call.ts';
import { bytesOf, drawSum, type JsonRequest, type SumRequest, sameNumbers, sumOf } from './sum-model.ts';

const { service } = await loadInferenceProto();
const method = service.ModelInfer as (typeof service)[string];
const { INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, INTERNAL, UNIMPLEMENTED, DEADLINE_EXCEEDED, CANCELLED } =
  status;

/** gRPC's own word for a request that is no message is INTERNAL. Source: gRPC, doc/statuscodes.md. */
const NO_MESSAGE = [INTERNAL];

type GrpcKind = (choose: Choice, limitBytes: number) => GrpcCase;

function encode(message: JsonRequest): Buffer {
  return method.requestSerialize(message) as Buffer;
}

function rawRequest({ rows, a, b }: SumRequest): JsonRequest {
  const inputs = ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [rows, 3] }));
  return { model_name: 'tiny', inputs, raw_input_contents: [bytesOf(a), bytesOf(b)] };
}

function typedRequest(sum: SumRequest): JsonRequest {
  const { raw_input_contents: _, ...request } = rawRequest(sum);
  request.inputs[0].contents = { fp32_contents: [...sum.a] };
  request.inputs[1].contents = { fp32_contents: [...sum.b] };
  return request;
}

function isSum(sum: Pick<SumRequest, 'a' | 'b'>): NonNullable<GrpcCase['answer']> {
  return (bytes) => {
    const { outputs, raw_output_contents: raw } = method.responseDeserialize(bytes) as JsonRequest;
    const values =
      raw.length > 0
        ? new Float32Array(new Uint8Array(raw[0]).buffer)
        : Float32Array.from(outputs[0].contents?.fp32_contents ?? []);
    return sameNumbers(values, sumOf(sum)) ? undefined : `answered with another sum: ${[...values].slice(0, 6)}`;
  };
}

export const goodCall: GrpcKind = (choose) => {
  const sum = drawSum(choose, false);
  const request = choose.chance(0.5) ? rawRequest(sum) : typedRequest(sum);
  if (choose.chance(0.5)) request.model_name = 'joined';
  if (choose.chance(0.2)) request.id = 'x'.repeat(choose.of([1, 20_000]));
  if (choose.chance(0.2)) request.parameters = { timeout: { int64_param: choose.of([0, 6e7, '9223372036854775807']) } };
  return {
    body: framed(encode(request)),
    refused: [],
    answer: isSum(sum),
    ...(choose.chance(0.2) ? { headers: { 'grpc-timeout': '60S' } } : {}),
  };
};

const SPOIL: readonly ((choose: Choice, request: JsonRequest) => void)[] = [
  (choose, request) =>
    (request.model_name = choose.of([
      '',
      'none',
      '__proto__',
      'x'.repeat(20_000),
      '\ud83d\ude00'.repeat(60),
      'a\r\nb\u0000',
    ])),
  (choose, request) => (request.model_name = 'x'.repeat(choose.integer(60, 90)) + '\ud83d\ude00'.repeat(60)),
  (choose, request) =>
    (request.model_version = choose.of(['2', '-1', 'x'.repeat(9_000), '\ud83d\ude00'.repeat(99), '1 '])),
  (choose, request) =>
    (choose.of(request.inputs as JsonRequest[]).name = choose.of([
      '',
      'c',
      'constructor',
      `${'a'.repeat(choose.integer(60, 90))}${'\ud83d\ude00'.repeat(99)}`,
    ])),
  (choose, request) =>
    (choose.of(request.inputs as JsonRequest[]).datatype = choose.of([
      '',
      'FP64',
      'BYTES',
      'fp32',
      'FP16',
      '\u00e9'.repeat(300),
    ])),
  (choose, request) =>
    (choose.of(request.inputs as JsonRequest[]).shape = choose.of([
      [],
      [3],
      [-1, 3],
      [999, 3],
      ['9223372036854775807', '9223372036854775807'],
      Array(2_000).fill(1),
      [0, 3],
      ['4294967296', 3],
    ])),
  (choose, request) => request.inputs.push(choose.of(request.inputs)),
  (_choose, request) => request.inputs.pop(),
  (_choose, request) => (request.inputs = []),
  (choose, request) => (request.outputs = choose.of([[{ name: 'other' }], [{ name: 'sum' }, { name: 'sum' }], [{}]])),
  (choose, request) =>
    (request.parameters = {
      timeout: choose.of([
        { string_param: '5' },
        { bool_param: true },
        { int64_param: -3 },
        { double_param: Number.NaN },
      ]),
    }),
  (choose, request) => {
    if (request.raw_input_contents === undefined)
      choose.of(request.inputs as JsonRequest[]).contents = choose.of([
        {},
        { fp64_contents: [1, 2, 3] },
        { fp32_contents: [1] },
        { int_contents: [1, 2, 3] },
        { fp32_contents: Array(9_000).fill(1) },
      ]);
    else request.raw_input_contents[choose.integer(0, 1)] = choose.bytes(choose.of([0, 1, 11, 13, 4_000]));
  },
  (choose, request) => {
    // Raw and typed at once, or not as many raw contents as inputs.
    const isRaw = request.raw_input_contents !== undefined;
    if (isRaw && choose.chance(0.5)) request.raw_input_contents.push(Buffer.alloc(12));
    else if (isRaw) request.inputs[1].contents = { fp32_contents: [1, 2, 3] };
    else request.raw_input_contents = [Buffer.alloc(12)];
  },
  (_choose, request) => {
    request.inputs = [
      { ...request.inputs[0], shape: [50, 3] },
      { ...request.inputs[1], shape: [2, 3] },
    ];
    if (request.raw_input_contents !== undefined) request.raw_input_contents = [Buffer.alloc(600), Buffer.alloc(24)];
    else
      for (const [index, count] of [150, 6].entries())
        request.inputs[index].contents = { fp32_contents: Array(count).fill(1) };
  },
];

export const spoiltMessages: GrpcKind = (choose) => {
  const sum = drawSum(choose, false);
  const request = choose.chance(0.5) ? rawRequest(sum) : typedRequest(sum);
  choose.of(SPOIL)(choose, request);
  return { body: framed(encode(request)), refused: [INVALID_ARGUMENT, NOT_FOUND] };
};

/** What is left of a message may say anything; an answer to it must be the sum of what it says by protobuf's own reading. */
export const mangledMessages: GrpcKind = (choose) => {
  const sum = drawSum(choose, false);
  const whole = encode(choose.chance(0.5) ? rawRequest(sum) : typedRequest(sum));
  const bytes = choose.chance(0.2) ? choose.bytes(choose.integer(0, 300)) : mangle(choose, whole);
  return {
    body: framed(bytes),
    refused: [INVALID_ARGUMENT, NOT_FOUND, ...NO_MESSAGE],
    answer: (answer) => isSum(read(bytes))(answer),
  };
};

function read(bytes: Buffer): Pick<SumRequest, 'a' | 'b'> {
  const { inputs, raw_input_contents: raw } = method.requestDeserialize(bytes) as JsonRequest;
  const values = (name: string): Float32Array => {
    const index = inputs.findIndex((input: JsonRequest) => input.name === name);
    const { contents } = inputs[index];
    return raw.length > 0
      ? new Float32Array(new Uint8Array(raw[index]).buffer)
      : Float32Array.from(contents?.fp32_contents ?? []);
  };
  return { a: values('a'), b: values('b') };
}

/** Lengths, flags and compression that do not fit the message. */
export const frames: GrpcKind = (choose, limitBytes) => {
  const sum = drawSum(choose, false);
  const message = encode(rawRequest(sum));
  const { length } = message;
  const gzip = { 'grpc-encoding': 'gzip' };
  const refused = [INVALID_ARGUMENT, INTERNAL, UNIMPLEMENTED, RESOURCE_EXHAUSTED, CANCELLED];
  const wrong = (body: Buffer, headers = {}): GrpcCase => ({ body, headers, refused });
  return choose.of<() => GrpcCase>([
    () => wrong(framed(message, { length: length + choose.of([1, 5, 1_000]) })),
    () => wrong(framed(message, { length: 0xffffffff })),
    () => wrong(framed(message, { length: limitBytes + 1 })),
    () => wrong(framed(message, { length: length - choose.integer(1, length) })),
    () => wrong(Buffer.alloc(0)),
    () => wrong(choose.bytes(choose.integer(1, 4))),
    () => wrong(Buffer.concat([framed(message), framed(message)])),
    () => wrong(framed(Buffer.alloc(limitBytes + choose.of([1, 70_000])))),
    // grpc-js takes the flag without an encoding for none.
    () => ({ body: framed(message, { flag: 1 }), refused, answer: isSum(sum) }),
    () => wrong(framed(message, { flag: 1 }), gzip),
    () => wrong(framed(gzipSync(Buffer.alloc(limitBytes * 20)), { flag: 1 }), gzip),
    () => wrong(framed(mangle(choose, gzipSync(message)).subarray(0, 12), { flag: 1 }), gzip),
    () => wrong(framed(message, { flag: 1 }), { 'grpc-encoding': 'other' }),
    () => ({ body: framed(gzipSync(message), { flag: 1 }), headers: gzip, refused: [], answer: isSum(sum) }),
  ])();
};

/** Header fields and paths of calls. Over a connection of its own: the server may close it, or answer with an HTTP status. */
export const headers: GrpcKind = (choose) => {
  const sum = drawSum(choose, false);
  const fields = choose.of<() => NonNullable<GrpcCase['headers']>>([
    () => ({
      ':path': choose.of([
        '/',
        '/x',
        '/inference.GRPCInferenceService/',
        '/inference.GRPCInferenceService/Other',
        `/${'a'.repeat(9_000)}`,
        '/%zz',
        '//',
      ]),
    }),
    () => ({ ':method': choose.of(['GET', 'PUT', 'FOO']) }),
    () => ({ 'content-type': choose.of([undefined, 'text/plain', 'application/json', 'application/grpc+json', '']) }),
    () => ({ 'grpc-timeout': choose.of(['abc', '-1S', '99999999999S', '1', 'S', '', '1e3S']) }),
    () => ({ 'x-bin': choose.of(['%%%', 'AA', '='.repeat(100)]) }),
    () => ({ 'x-large': 'y'.repeat(choose.of([4_000, 60_000, 200_000])) }),
    () => Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x-${index}`, 'y'])),
    () => ({ te: undefined }),
    () => ({ 'content-length': choose.of(['1', '999999']) }),
    () => ({ 'user-agent': '\u00e9'.repeat(100) }),
  ])();
  const refused = [INVALID_ARGUMENT, INTERNAL, UNIMPLEMENTED, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, CANCELLED];
  return { headers: fields, body: framed(encode(rawRequest(sum))), refused, answer: isSum(sum), ownSession: true };
};

/** Calls that are given up, by their client or by their deadline, before they are answered. */
export const givenUp: GrpcKind = (choose) => {
  const good = goodCall(choose, 0);
  if (choose.chance(0.5)) return { ...good, cancelAfterMs: choose.of([0, 0, 1, 3]) };
  const timeout = choose.of(['0S', '1n', '1u', '1m', '2m']);
  return { ...good, headers: { 'grpc-timeout': timeout }, refused: [DEADLINE_EXCEEDED, CANCELLED] };
};

export const otherMethods: GrpcKind = (choose) => {
  const name = choose.of(['ModelMetadata', 'ModelReady', 'ServerMetadata', 'ServerLive']);
  const bytes = choose.chance(0.5)
    ? choose.bytes(choose.integer(0, 60))
    : Buffer.concat([Buffer.of(0x0a, 4), Buffer.from('tiny')]);
  const path = `/inference.GRPCInferenceService/${name}`;
  return {
    headers: { ':path': path },
    body: framed(bytes),
    refused: [NOT_FOUND, ...NO_MESSAGE],
    answer: () => undefined,
  };
};
