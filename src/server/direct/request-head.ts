/** Line and header fields of a request, as they came; names in lower case. */
export interface RequestHead {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentLength: number;
}

const REQUEST_LINE = /^(GET|HEAD|POST) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/** Fields that change how a message is framed or who answers it. */
const UNUSUAL = new Set(['transfer-encoding', 'expect', 'upgrade', 'trailer', 'te', 'content-encoding']);

/**
 * The head of a request that is beyond doubt: HTTP/1.1, every line well-formed, no field twice, a body of known length or none, the connection kept open.
 *
 * Undefined for everything else, which is not to say that it is wrong: Node's HTTP parser has the last word on it.
 * @param text - the head without its closing empty line, one character a byte
 * Source: RFC 9112, sections 2 to 6.
 */
export function recognizeHead(text: string): RequestHead | undefined {
  const [first = '', ...fields] = text.split('\r\n');
  const line = REQUEST_LINE.exec(first);
  if (line === null) return undefined;
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const parts = FIELD.exec(field);
    if (parts === null) return undefined;
    const name = (parts[1] as string).toLowerCase();
    if (UNUSUAL.has(name) || Object.hasOwn(headers, name)) return undefined;
    headers[name] = parts[2] as string;
  }
  const { host, connection = 'keep-alive', 'content-length': length = '0' } = headers;
  if (host === undefined || connection.toLowerCase() !== 'keep-alive' || !/^\d{1,15}$/.test(length)) return undefined;
  return { method: line[1] as string, target: line[2] as string, headers, contentLength: Number(length) };
}
