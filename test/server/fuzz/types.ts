import type { Choice } from './choice.ts';

/** The server under test. */
export interface FuzzTarget {
  readonly port: number;
  readonly grpcPort: number;
  readonly bodyLimitBytes: number;
}

/** How a case ended: with an answer, with the protocol's error, or with the connection closed without either. */
export type Ending = 'answered' | 'refused' | 'closed';

export interface CaseResult {
  readonly ending: Ending;
  /** What should not have happened; undefined where all was right. */
  readonly violation: string | undefined;
}

/** Draws one case of a kind and plays it through. Has an end of its own, whatever the server does. */
export type CaseKind = (choose: Choice, target: FuzzTarget) => Promise<CaseResult>;

/** What a reply may be. */
export interface Expected {
  /** Whether a refusal is right. */
  readonly refused: boolean;
  /** Says what is wrong with the body of a success; absent where the request must not succeed. */
  readonly answer?: ((body: Buffer, headers: Readonly<Record<string, string>>) => string | undefined) | undefined;
}
