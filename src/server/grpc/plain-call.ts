import type { IncomingHttpHeaders } from 'node:http2';
import { INFERENCE_SERVICE } from '../../kserve/index.ts';

const MODEL_INFER = `/${INFERENCE_SERVICE}/ModelInfer`;

/** Milliseconds in gRPC's units of time. Source: gRPC, doc/PROTOCOL-HTTP2.md. */
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;

/** What the head of a plain call says. */
export interface PlainHead {
  /** How long its client waits, milliseconds; undefined where it sets no limit. */
  readonly timeoutMs: number | undefined;
}

/** The head of a call of ModelInfer that is beyond doubt and sends its message as it is; undefined for any other, which is grpc-js's to read or refuse. */
export function readPlainHead(headers: IncomingHttpHeaders): PlainHead | undefined {
  if (headers[':path'] !== MODEL_INFER || headers[':method'] !== 'POST') return undefined;
  const { 'content-type': type, 'grpc-encoding': encoding, 'grpc-timeout': timeout } = headers;
  if (type !== 'application/grpc' && type !== 'application/grpc+proto') return undefined;
  if (encoding !== undefined && encoding !== 'identity') return undefined;
  if (timeout === undefined) return { timeoutMs: undefined };
  const [, count, unit] = TIMEOUT.exec(String(timeout)) ?? [];
  return unit === undefined ? undefined : { timeoutMs: Number(count) * (UNIT_MS[unit] as number) };
}
