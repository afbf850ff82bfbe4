import type { EngineSettings } from '../engine/types.ts';

/** Everything the server process is told, as one JSON argument. The launcher writes it, the server reads it back in its own metadata. */
export interface ServerSettings {
  /** Name under which the model is served: `/v2/models/{modelName}`. */
  readonly modelName: string;
  readonly modelFile: string;
  readonly host: string;
  /** 0 lets the system choose; the server then prints the address it got. */
  readonly port: number;
  readonly engine: EngineSettings;
  /** Largest request body, bytes; larger ones are answered with 413. 256 MB where absent. */
  readonly bodyLimitBytes?: number;
  /**
   * End when standard input ends, so that the server does not outlive a launcher that holds the other end of that pipe. Off where absent: under a container engine
   * standard input may be closed from the start.
   */
  readonly exitOnStdinEnd?: boolean;
}

/**
 * The one line the server prints on standard output when it accepts connections: `{"dse":"listening","url":"http://127.0.0.1:40123"}`.
 * Everything else it says goes to standard error.
 */
export interface ListeningLine {
  readonly dse: 'listening';
  readonly url: string;
}

/** A server that accepts connections. Disposing it answers what is in flight, then closes it and unloads its models. */
export interface RunningApp extends AsyncDisposable {
  /** Base address, e.g. "http://127.0.0.1:40123". */
  readonly url: string;
  /** Settles with the reason when a model died under it; with undefined once it was disposed. Never rejects. */
  readonly ended: Promise<Error | undefined>;
}
