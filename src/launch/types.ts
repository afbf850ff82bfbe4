import type { Problem } from '../errors.ts';
import type { ServerSettings } from '../server/types.ts';
import type { EngineName, ServerDescription } from '../spec/types.ts';

/** Limits on a server's resources; absent means not limited. */
export interface Limits {
  /** CPUs it may run on, in the kernel's list format. */
  readonly cpuset?: string;
  /** CPU quota in CPUs: 0.5 is half of one. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** Clock that its CPUs are held at, kHz. */
  readonly cpuFrequencyKhz?: number;
}

/** Limits that the kernel holds for a group of processes, and not for the machine. */
export type GroupedLimit = Exclude<keyof Limits, 'cpuFrequencyKhz'>;

export interface LaunchRequest {
  /** From `createRunLabel`. Labels whatever is created, so that `dse clean` finds what a killed run left behind. */
  readonly runLabel: string;
  /** Of another server only the address counts. */
  readonly settings: ServerSettings;
  /** A server other than dse's own; only for engines that run containers. */
  readonly other?: OtherServer;
  readonly limits: Limits;
  /** Standard error and standard output of the server are appended here. */
  readonly logFile: string;
  readonly readyTimeoutMs: number;
}

/** A server other than dse's own, as one configuration asks for it. */
export interface OtherServer {
  readonly description: ServerDescription;
  /** What the placeholders of its factors stand for. */
  readonly values: Readonly<Record<string, string>>;
  readonly model: {
    /** Name it is served under. */
    readonly name: string;
    /** Absolute path of the ONNX file, and of the files beside it in which its weights stand. */
    readonly file: string;
    readonly dataFiles: readonly string[];
  };
}

/** Cumulative use of resources since the server started. A value that this engine cannot know is undefined, never 0. */
export interface ResourceUsage {
  /** When it was read, on the machine's monotonic clock. */
  readonly atNs: number;
  readonly cpuTimeUs: number | undefined;
  /**
   * Length of the quota periods in which the server used its quota up and had to wait for the next. The number of such periods, not the time that the kernel says processes
   * waited: Linux 6.18 was seen to count a quarter of that.
   */
  readonly throttledUs: number | undefined;
  /** Highest resident memory since the start (or since the last `resetMemoryPeak`), bytes. */
  readonly memoryPeakBytes: number | undefined;
  readonly networkRxBytes: number | undefined;
  readonly networkTxBytes: number | undefined;
  /** From and to block devices, bytes; what the page cache serves or holds is not in it. */
  readonly blockReadBytes: number | undefined;
  readonly blockWriteBytes: number | undefined;
}

/** How a server ended. */
export interface ServerExit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** Whether the kernel killed it, or something it started, at its memory limit. */
  readonly isOomKilled: boolean;
  /** Its last log lines. */
  readonly lastLines: readonly string[];
}

/** A server that accepted connections. Disposing it stops it and removes everything that was made for it. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  /** Host and port of its gRPC side; undefined where it has none. */
  readonly grpcAddress?: string | undefined;
  /** The limits as read back from the kernel or the container engine. */
  readonly applied: Limits;
  /** How the limits were applied, e.g. "cgroup v2 + taskset", "systemd scope", "none", "docker (host network, cgroup v2)"; stored with each trial. */
  readonly mechanism: string;
  /** Digest of the image the server runs from, "sha256:..."; undefined where it runs from none. */
  readonly imageDigest?: string;
  readUsage(): Promise<ResourceUsage>;
  /**
   * Makes `memoryPeakBytes` count from now, so that a window's peak is its own and not that of the loading or of an earlier load level.
   * @returns false where this engine cannot: the peak then goes on counting from where it did
   */
  resetMemoryPeak(): Promise<boolean>;
  /** Settles when the server is gone, whoever ended it. Never rejects. */
  readonly exited: Promise<ServerExit>;
  /** CPU time and memory of other things are not in `readUsage`; this is the id of the server's process as this machine knows it, where the engine runs one here. */
  readonly pid: number | undefined;
}

/**
 * Starts servers for one engine.
 *
 * `check` is called before the experiment and reports every limit that cannot be applied here with its fix; `start` may then be called many times,
 * one after another or overlapping (neighbours). `start` resolves when the process accepts connections; whether it answers is for a readiness check
 * (health and one real inference) to say. It throws LaunchError where the server could not be started or the limits read back differ, having removed
 * everything it had made. An abort of `signal` during `start` does the same.
 */
export interface Launcher {
  readonly engine: EngineName;
  check(limits: readonly Limits[]): Promise<readonly Problem[]>;
  /**
   * Gets ready what servers start from, as the image of a container engine, so that the first start does not have to. Absent where there is nothing to get ready.
   * @param onProgress - told each step in a line
   * @throws LaunchError where it cannot be had
   */
  prepare?(signal: AbortSignal, onProgress: (line: string) => void): Promise<void>;
  start(request: LaunchRequest, signal: AbortSignal): Promise<RunningServer>;
}
