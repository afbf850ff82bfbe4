import type { InferenceApi } from '../kserve/types.ts';
import type { DatasetRef, ImageDescription, TensorSpec } from '../models/types.ts';
import type { Arrivals, Popularity, RatePattern, Spin } from '../spec/types.ts';

export type { RatePattern, Spin } from '../spec/types.ts';

/** Wire formats a request may take; a factor of the experiment. */
export type Protocol = 'rest-json' | 'rest-binary' | 'grpc' | 'image';

/** What is sent, and where to. */
export type LoadTarget =
  | {
      /** Inference: bodies are made from the model's inputs, answers are read. */
      readonly kind: 'kserve';
      /** Base address of the server, e.g. "http://127.0.0.1:40123". */
      readonly url: string;
      /** Host and port of its gRPC side, for the protocol `grpc`. */
      readonly grpcAddress?: string | undefined;
      readonly modelName: string;
      /** KServe V2 where absent. */
      readonly api?: InferenceApi;
      readonly protocol: Protocol;
      /** Items in a request. */
      readonly batch: number;
      readonly inputs: readonly TensorSpec[];
      /** Sizes of dimensions that the inputs leave open besides the batch, by name. */
      readonly dims: Readonly<Record<string, number>>;
      readonly dataset: DatasetRef | undefined;
      /** How images become the model's input, for the protocol `image`. */
      readonly image?: ImageDescription | undefined;
      /** Seeds the sample inputs, the order of labelled samples and the draws among them. */
      readonly seed: number;
      /** How often each distinct request is sent; in turn where absent. */
      readonly popularity?: Popularity;
      /** Distinct requests; every labelled sample, or a few random ones, where absent. */
      readonly distinct?: number;
    }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array | undefined;
    };

/** What one stretch of load offers. It goes on until it is stopped or its duration is over. */
export type OfferedLoad =
  | {
      readonly kind: 'open';
      readonly rateRps: number;
      readonly arrivals: Arrivals;
      readonly seed: number;
      /** Clients that may be in flight at once; a request due when none is free keeps its intended time and waits. */
      readonly connections: number;
      /** `near` where absent. */
      readonly spin?: Spin;
      /** How the rate moves around `rateRps` while the load is on. Absent: it stays there. */
      readonly pattern?: RatePattern;
    }
  | { readonly kind: 'closed'; readonly concurrency: number };

/** How a request ended. The numbers are what `RequestRecords.outcome` holds. */
export const OUTCOME = {
  ok: 0,
  timeout: 1,
  refused: 2,
  reset: 3,
  http4xx: 4,
  http5xx: 5,
  malformed: 6,
  unanswered: 7,
} as const;
export type Outcome = keyof typeof OUTCOME;

/** Requests that ended, as columns of equal length in the order they ended. Times are on the machine's monotonic clock. */
export interface RequestRecords {
  readonly count: number;
  /** When the schedule said the request should leave (open loop), or when it left (closed loop). */
  readonly intendedNs: Float64Array;
  /** When it began to be handed to the socket; NaN where it never was. */
  readonly sentNs: Float64Array;
  /** When the whole reply was there, or when it was given up. A timeout ends at its intended time plus the timeout, whenever that was noticed. */
  readonly doneNs: Float64Array;
  /** 1 where no client was free at the intended time, so that a late send is the server's doing and not the generator's. */
  readonly waitedForClient: Uint8Array;
  /** One of `OUTCOME`. */
  readonly outcome: Uint8Array;
  /** As the server reported them, microseconds; NaN where it did not. */
  readonly queueUs: Float32Array;
  readonly computeUs: Float32Array;
  /** Whether the server answered from what it remembered, as it reported: 1 yes, 0 no, -1 where it did not say. */
  readonly cacheHit: Int8Array;
  /** Items of the batch whose top answer, or one of whose first five, was the label; -1 where requests carry no labels. */
  readonly top1Correct: Int16Array;
  readonly top5Correct: Int16Array;
}

/** The generator's own use of resources, cumulative: CPU time of the whole process, bytes of one load. */
export interface GeneratorUsage {
  readonly atNs: number;
  readonly cpuTimeUs: number;
  /** The part of `cpuTimeUs` that passed in waiting for the next intended time in a spin: spare, not load. */
  readonly spinTimeUs: number;
  /** Bytes over the sockets of the load, as the server sees them: received by it, sent by it. */
  readonly serverRxBytes: number;
  readonly serverTxBytes: number;
}

/**
 * A load generator in a process of its own.
 *
 * `prepare` builds the request bodies once for a server; `start` may then be called many times, one run after another. Records arrive in batches a few times a second.
 * Whoever made the driver disposes it, which ends its process. If the process dies, the pending calls and runs reject with LoadError.
 */
export interface LoadDriver extends AsyncDisposable {
  /** @throws LoadError where no body can be made for the model's inputs */
  prepare(target: LoadTarget, options: { readonly timeoutMs: number }): Promise<void>;
  start(load: OfferedLoad, onRecords: (records: RequestRecords) => void): Promise<LoadRun>;
  readUsage(): Promise<GeneratorUsage>;
  /**
   * Another load from the same process, with a target and records of its own, that may be on at the same time. Both are paced by one event loop: neither waits for the other to
   * be given the CPU, and a send is late by no more than the other takes to write or read one message. Disposing it ends its load at once and leaves the process.
   */
  openBeside(): LoadDriver;
  /** CPUs the generator was pinned to, as read back; undefined where it could not be pinned. */
  readonly cpuset: string | undefined;
  readonly pid: number;
}

export interface LoadRun {
  /** When the schedule began. */
  readonly startedAtNs: number;
  /**
   * Stops sending at once and waits until every request in flight has been answered or has timed out; all records have then been handed over.
   * Requests that were due but never sent (backlog) are handed over as `unanswered`, done at the moment of the stop.
   */
  stop(): Promise<void>;
  /** Rejects when the generator fails while the run is on; otherwise settles with `stop`. */
  readonly ended: Promise<void>;
}
