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
}

/**
 * The one line the server prints on standard output when it accepts connections: `{"dse":"listening","url":"http://127.0.0.1:40123"}`.
 * Everything else it says goes to standard error.
 */
export interface ListeningLine {
  readonly dse: 'listening';
  readonly url: string;
}
