/** Everything a gateway is told, as one JSON argument where it is a process of its own. */
export interface GatewaySettings {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Port of the gRPC side, at the same host; 0 lets the system choose. Absent: REST only. Calls go to those upstreams that have an address for gRPC. */
  readonly grpcPort?: number;
  readonly upstreams: readonly UpstreamSettings[];
  /** The models it serves, and nothing else. Absent: every model its upstreams list, under the same name, in equal shares by all that have it. */
  readonly models?: readonly RouteSettings[];
  /** Of the choice between targets: the k-th request for a model goes to the same target in every run in which the same targets are ready. */
  readonly seed: number;
  /** Time between two looks at an upstream, milliseconds. */
  readonly pollIntervalMs: number;
  /** How long an upstream may take to answer such a look, milliseconds. */
  readonly pollTimeoutMs: number;
  /** How long an upstream may take to begin its answer to a request that it has, and between two parts of it, milliseconds. */
  readonly timeoutMs: number;
  /** Larger request bodies are answered with 413. */
  readonly bodyLimitBytes: number;
  /** How long requests in flight may take to be answered once the gateway is stopped, milliseconds. */
  readonly drainTimeoutMs: number;
  /** End when standard input ends, so that it does not outlive the process that holds the other end of that pipe. Off where absent. */
  readonly exitOnStdinEnd?: boolean;
}

/** A server behind the gateway. */
export interface UpstreamSettings {
  /** What metrics, logs and routes call it. */
  readonly name: string;
  /** Base address, e.g. "http://127.0.0.1:8081". */
  readonly url: string;
  /** Host and port of its gRPC side, e.g. "127.0.0.1:9001". */
  readonly grpc?: string;
}

/** A name under which the gateway serves a model, and who answers for it. */
export interface RouteSettings {
  readonly name: string;
  readonly targets: readonly TargetSettings[];
}

export interface TargetSettings {
  /** Name of an upstream. */
  readonly upstream: string;
  /** Name of the model there. */
  readonly model: string;
  /** Part of the requests in proportion to those of the other targets; above 0. */
  readonly share: number;
}

/** Whether requests may go there: `ready`, `not-ready` (the server answers, but says no for this model) or `down` (it does not answer). */
export type TargetState = 'ready' | 'not-ready' | 'down';

/** What `GET /gateway` answers. */
export interface GatewayStatus {
  readonly seed: number;
  readonly upstreams: readonly {
    readonly name: string;
    readonly url: string;
    readonly grpc?: string;
    readonly isUp: boolean;
    readonly reason?: string;
  }[];
  readonly models: readonly {
    readonly name: string;
    readonly targets: readonly (TargetSettings & { readonly state: TargetState; readonly reason?: string })[];
  }[];
}

/** A gateway that accepts connections. Disposing it answers what is in flight, then closes it. */
export interface RunningGateway extends AsyncDisposable {
  /** Base address, e.g. "http://127.0.0.1:40123". */
  readonly url: string;
  /** Host and port of the gRPC side, e.g. "127.0.0.1:40124"; undefined where it was not asked for. */
  readonly grpcAddress: string | undefined;
  readonly status: () => GatewayStatus;
}
