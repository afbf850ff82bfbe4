import protobuf from 'protobufjs/minimal.js';
import { KserveError } from '../../kserve/index.ts';

/** Field number of the model's name in every request on a model; see proto/open-inference.proto. */
const NAME_FIELD = 1;
const LENGTH_DELIMITED = 2;

/**
 * The name of the model that a request is about, nothing else of it being read.
 * @throws KserveError where the bytes are no message
 */
export function readModelName(message: Uint8Array): string {
  const reader = protobuf.Reader.create(message);
  let name = '';
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === ((NAME_FIELD << 3) | LENGTH_DELIMITED)) name = reader.string();
      else reader.skipType(tag & 7);
    }
  } catch {
    throw new KserveError(400, 'the request is no message of the protocol');
  }
  return name;
}

/**
 * The same request about another model: its name is added once more, at the end.
 *
 * Source: Protocol Buffers, "Encoding", "Last One Wins": of a field that may stand only once a parser takes the last value.
 */
export function withModelName(message: Uint8Array, name: string): Buffer {
  const field = protobuf.Writer.create()
    .uint32((NAME_FIELD << 3) | LENGTH_DELIMITED)
    .string(name)
    .finish();
  return Buffer.concat([message, field]);
}
