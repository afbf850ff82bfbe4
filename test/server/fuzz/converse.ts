import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpReply, takeReply } from './http-reply.ts';
import type { CaseResult, Ending, Expected } from './types.ts';

/** What a client does, one after the other: send bytes, wait so many milliseconds, close its half, or reset the connection. */
export type Step = Buffer | number | 'end' | 'reset';

export interface Conversation {
  readonly steps: readonly Step[];
  /** One for each reply that is due. */
  readonly expected: readonly (Expected & { readonly isHead?: boolean })[];
  /** Whether the server may close the connection without all replies: the client left, or sent more than is read. */
  readonly mayClose?: boolean;
}

/** A server that has neither answered nor closed by then hangs; it is loaded by many cases at a time. */
const HANG_MS = 20_000;

/** Plays a client's part over a connection of its own and judges every reply. */
export function converse(port: number, { steps, expected, mayClose = false }: Conversation): Promise<CaseResult> {
  return new Promise((resolve) => {
    let unread: Buffer = Buffer.alloc(0);
    let ending: Ending = 'closed';
    let done = 0;
    let isOver = false;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const timer = setTimeout(() => finish(`no answer within ${HANG_MS / 1e3} s`), HANG_MS);
    const finish = (violation?: string) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      // Reset: a hundred thousand connections in the state TIME_WAIT would use up the machine's ports.
      socket.resetAndDestroy();
      resolve({ ending, violation });
    };
    const onReply = (reply: HttpReply) => {
      if (reply.status < 200) return;
      const due = expected[done++];
      if (due === undefined) return finish(`a reply to no request: ${reply.status}`);
      ending = reply.status < 400 ? 'answered' : 'refused';
      const violation = judge(reply, due);
      if (violation !== undefined) return finish(violation);
      const isLast = reply.headers.connection === 'close';
      if (isLast && reply.status >= 400) return finish();
      if (done < expected.length && isLast) return finish('closed before all replies');
      if (done === expected.length) finish();
    };
    socket.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      try {
        for (;;) {
          const taken = takeReply(unread, expected[done]?.isHead ?? false);
          if (taken === undefined || isOver) return;
          unread = taken.rest;
          onReply(taken.reply);
        }
      } catch (error) {
        finish(String(error));
      }
    });
    const onClosed = () =>
      finish(mayClose || done === expected.length ? undefined : `closed after ${done} of ${expected.length} replies`);
    socket
      .on('end', onClosed)
      .on('close', onClosed)
      .on('error', () => {});
    void play();

    async function play(): Promise<void> {
      for (const step of steps) {
        if (isOver) return;
        if (typeof step === 'number') await sleep(step);
        else if (step === 'end') socket.end();
        else if (step === 'reset') return finish();
        else await new Promise<void>((sent) => socket.write(step, () => sent()));
      }
    }
  });
}

function judge(
  { status, headers, body }: HttpReply,
  { refused, answer, isHead }: Expected & { isHead?: boolean },
): string | undefined {
  if (status >= 500) return `status ${status}: ${body.toString('utf8', 0, 300)}`;
  if (status >= 400) return isHead ? undefined : judgeRefusal(status, body, refused);
  return answer === undefined ? `answered with ${status}, though the request is wrong` : answer(body, headers);
}

function judgeRefusal(status: number, body: Buffer, refused: boolean): string | undefined {
  if (!refused) return `refused with ${status}, though the request is right: ${body.toString('utf8', 0, 300)}`;
  try {
    const json = JSON.parse(body.toString());
    const isError = Object.keys(json).join() === 'error' && typeof json.error === 'string' && json.error.length > 10;
    if (isError) return undefined;
  } catch {}
  return `status ${status} without the protocol's error: ${body.toString('utf8', 0, 300)}`;
}
