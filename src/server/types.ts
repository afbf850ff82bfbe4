import type { EngineSettings } from '../engine/types.ts';
import type { ImageDescription } from '../models/types.ts';

/** Everything the server process is told, as one JSON argument. The launcher writes it, the server reads it back in its own metadata. */
export interface ServerSettings {
  /** The models of its repository. Each is loaded before the server listens, unless `isLoadedAtStart` says otherwise. */
  readonly models: readonly ModelSettings[];
  /** Where further models are looked for whenever the repository is listed or something is loaded from it. None where absent. */
  readonly folder?: RepositoryFolder;
  /**
   * Most models (versions of one count each) that are loaded at a time. To load another, the one that was used longest ago is unloaded; it is loaded again when it is asked
   * for. Not limited where absent.
   */
  readonly maxLoaded?: number;
  readonly host: string;
  /** 0 lets the system choose; the server then prints the address it got. */
  readonly port: number;
  /** Port of the gRPC side, at the same host; 0 lets the system choose. Absent: REST only. */
  readonly grpcPort?: number;
  /** Largest request body, bytes; larger ones are answered with 413. 256 MB where absent. */
  readonly bodyLimitBytes?: number;
  /**
   * End when standard input ends, so that the server does not outlive a launcher that holds the other end of that pipe. Off where absent: under a container engine
   * standard input may be closed from the start.
   */
  readonly exitOnStdinEnd?: boolean;
}

/** One version of a model, and how it is served. */
export interface ModelSettings extends ServingSettings {
  /** Name under which it is served: `/v2/models/{name}`. */
  readonly name: string;
  /** "1" where absent. */
  readonly version?: string;
  /** Path of the ONNX file. */
  readonly file: string;
  /** True where absent. */
  readonly isLoadedAtStart?: boolean;
  /** How images become its input; absent: as the `.image.json` beside its file says, or not at all. */
  readonly image?: ImageDescription | undefined;
}

/** How a model is served, whichever it is. */
export interface ServingSettings {
  readonly engine: EngineSettings;
  /** Sessions of the runtime over the model, each with its own thread, threads of the runtime and copy of the weights. 1 where absent. */
  readonly instances?: number;
  /** Requests that wait are run together. Off where absent. */
  readonly batching?: BatchingSettings;
  /** Answers are remembered, and given again to the same inputs. Off where absent. */
  readonly cache?: CacheSettings;
  /** Requests that may wait for the runtime; more are answered with 429. 1000 where absent. */
  readonly maxQueue?: number;
  /** How long after its arrival a request that says nothing else has to have been started on, milliseconds; later it is answered with 504. None where absent. */
  readonly deadlineMs?: number;
}

/** A cache of answers, the least recently used going first; bounded in memory too. */
export interface CacheSettings {
  /** Most answers remembered. */
  readonly entries: number;
}

/** Dynamic batching: requests of equal shapes are joined along their first dimension and run together. */
export interface BatchingSettings {
  /** Most items run together. A request of more items runs alone. */
  readonly maxBatch: number;
  /** Longest time a request waits for others, milliseconds; 0 joins only what waits anyway. The event loop's timers add up to a millisecond. */
  readonly maxQueueDelayMs: number;
  /** Numbers of items that are run without waiting for more. */
  readonly preferredBatches?: readonly number[];
}

/** A folder laid out as `{name}/{version}/model.onnx`, the version a whole number, or with files `{name}.onnx`, which are version 1. */
export interface RepositoryFolder {
  readonly path: string;
  /** How the models found there are served. */
  readonly serving: ServingSettings;
}

/**
 * The one line the server prints on standard output when it accepts connections: `{"dse":"listening","url":"http://127.0.0.1:40123"}`.
 * Everything else it says goes to standard error.
 */
export interface ListeningLine {
  readonly dse: 'listening';
  readonly url: string;
  /** Host and port of the gRPC side, where there is one. */
  readonly grpcAddress?: string;
}

/** A server that accepts connections. Disposing it answers what is in flight, then closes it and unloads its models. */
export interface RunningApp extends AsyncDisposable {
  /** Base address, e.g. "http://127.0.0.1:40123". */
  readonly url: string;
  /** Host and port of the gRPC side, e.g. "127.0.0.1:40124"; undefined where it was not asked for. */
  readonly grpcAddress: string | undefined;
  /** Models of which a version was loaded at the start. */
  readonly modelNames: readonly string[];
  /** Settles with the reason when the only model died under it; with undefined once it was disposed. Never rejects. */
  readonly ended: Promise<Error | undefined>;
}
