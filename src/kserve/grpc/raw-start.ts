/** Tag of `raw_input_contents` in a ModelInferRequest: field 7, length-delimited. */
const RAW_INPUT_CONTENTS = (7 << 3) | 2;

const LENGTH_DELIMITED = 2;

/**
 * Where the bytes of the first raw tensor start in a ModelInferRequest, by its beginning, so that the message can be laid where they are aligned.
 *
 * Undefined where the beginning does not tell. All fields of the message are length-delimited and have tags of one byte; what else there may be is for the decoder to judge.
 * Source: Protocol Buffers, "Encoding".
 */
export function startOfRawInput(beginning: Uint8Array): number | undefined {
  let at = 0;
  while (at < beginning.byteLength) {
    const tag = beginning[at] as number;
    if ((tag & 7) !== LENGTH_DELIMITED || tag > 0x7f) return undefined;
    let length = 0;
    let byte = 0x80;
    for (let shift = 1; byte > 0x7f; shift *= 0x80) {
      at++;
      if (at >= beginning.byteLength || shift > 2 ** 32) return undefined;
      byte = beginning[at] as number;
      length += (byte & 0x7f) * shift;
    }
    at++;
    if (tag === RAW_INPUT_CONTENTS) return at;
    at += length;
  }
  return undefined;
}
