/** A reply of HTTP/1.1, whole. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Takes the first whole reply off the bytes; undefined where it has not all come.
 * @param isHead - whether it answers a HEAD, and has no body whatever it says
 * @throws Error where they are no reply
 */
export function takeReply(bytes: Buffer, isHead: boolean): { reply: HttpReply; rest: Buffer } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(line)?.[1];
  if (status === undefined) throw new Error(`no status line: ${JSON.stringify(line.slice(0, 80))}`);
  const headers = Object.fromEntries(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 1).trim(),
    ]),
  );
  const rest = bytes.subarray(end + 4);
  if (status.startsWith('1') || isHead)
    return { reply: { status: Number(status), headers, body: Buffer.alloc(0) }, rest };
  const length = headers['content-length'];
  if (length === undefined) throw new Error(`a reply ${status} without Content-Length`);
  if (rest.length < Number(length)) return undefined;
  const body = rest.subarray(0, Number(length));
  return { reply: { status: Number(status), headers, body }, rest: rest.subarray(Number(length)) };
}
