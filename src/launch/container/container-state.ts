import { constants } from 'node:os';
import { callEngine, type EngineHost } from './engine-cli.ts';

/** What is used of `inspect`, the same for Docker and Podman. */
export interface ContainerState {
  readonly isRunning: boolean;
  /** False where the engine made the container but could not start a process in it. */
  readonly hasStarted: boolean;
  /** Process id of the container's first process on the engine's machine; undefined before and after it runs. */
  readonly pid: number | undefined;
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly isOomKilled: boolean;
  /** Digest of the image it was made from, "sha256:...". */
  readonly imageDigest: string;
}

interface Inspected {
  readonly Image: string;
  readonly State: {
    readonly Running: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
  };
}

/** Podman's `{{json .}}` of a whole container is not the container; of its members it is. */
const FORMAT = '{"Image":{{json .Image}},"State":{{json .State}}}';

/** Exit codes of processes that a signal ended are 128 and its number: engines and shells agree on that, and tell no more. */
const SIGNAL_BASE = 128;

/** @throws LaunchError where the container or the engine is gone */
export async function inspectContainer(host: EngineHost, id: string): Promise<ContainerState> {
  const { Image, State } = JSON.parse(
    await callEngine(host, ['container', 'inspect', '--format', FORMAT, id]),
  ) as Inspected;
  const hasStarted = !State.StartedAt.startsWith('0001-');
  const hasEnded = hasStarted && !State.Running;
  const signal = hasEnded ? signalOf(State.ExitCode) : undefined;
  return {
    isRunning: State.Running,
    hasStarted,
    pid: State.Running && State.Pid > 0 ? State.Pid : undefined,
    exitCode: hasEnded && signal === undefined ? State.ExitCode : undefined,
    signal,
    isOomKilled: State.OOMKilled,
    imageDigest: Image.startsWith('sha256:') ? Image : `sha256:${Image}`,
  };
}

function signalOf(exitCode: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === exitCode - SIGNAL_BASE)?.[0];
}
