import { readFileSync } from 'node:fs';
import { formatCpuList, parseCpuList } from '../cpu-list.ts';
import { LoadError } from '../errors.ts';
import { type GeneratorProcess, startGeneratorProcess } from './generator-process.ts';
import type { LoadDriver, LoadRun, RequestRecords } from './types.ts';

export interface LoadDriverOptions {
  /** CPUs the generator is pinned to, in the kernel's list format. Absent: wherever the system puts it. */
  readonly cpuset?: string;
}

/**
 * Starts a load generator in a process of its own.
 *
 * The process ends when the driver is disposed, and also when this process ends, in whatever way.
 * @throws LoadError where it does not start, or is not pinned to exactly the CPUs asked for
 */
export async function createLoadDriver(options: LoadDriverOptions = {}): Promise<LoadDriver> {
  const listeners: Listeners = new Map();
  const cpus = options.cpuset === undefined ? undefined : parseCpuset(options.cpuset);
  const generator = await startGeneratorProcess({ cpuset: cpus }, (channel, records) =>
    listeners.get(channel)?.(records),
  );
  try {
    if (cpus !== undefined) checkPinned(generator.pid, cpus);
  } catch (error) {
    await generator[Symbol.asyncDispose]();
    throw error;
  }
  let channels = 0;
  const openChannel = (dispose: (channel: number) => PromiseLike<void>): LoadDriver => {
    const channel = channels++;
    return {
      ...createChannel(generator, channel, listeners),
      ...{ pid: generator.pid, cpuset: cpus },
      openBeside: () => openChannel((beside) => closeChannel(generator, beside, listeners)),
      [Symbol.asyncDispose]: () => dispose(channel),
    };
  };
  return openChannel(() => generator[Symbol.asyncDispose]());
}

/** Who is told the records of the load that is on, by channel. */
type Listeners = Map<number, (records: RequestRecords) => void>;

function createChannel(
  generator: GeneratorProcess,
  channel: number,
  listeners: Listeners,
): Pick<LoadDriver, 'prepare' | 'start' | 'readUsage'> {
  return {
    prepare: async (target, { timeoutMs }) => {
      if (!(timeoutMs > 0)) {
        throw new LoadError({ what: `a timeout of ${timeoutMs} ms`, hint: 'Give a timeout above 0 ms.' });
      }
      await generator.call<'prepare'>(channel, { type: 'prepare', target, timeoutMs });
    },
    start: async (load, onRunRecords) => {
      if (listeners.has(channel)) {
        throw new LoadError({ what: 'a load is on already', hint: 'Stop it before the next one.' });
      }
      const end = () => {
        listeners.delete(channel);
      };
      // Before the call: records may come in the same breath as its answer.
      listeners.set(channel, onRunRecords);
      try {
        const { startedAtNs } = await generator.call<'start'>(channel, { type: 'start', load });
        return createLoadRun(generator, channel, startedAtNs, end);
      } catch (error) {
        end();
        throw error;
      }
    },
    readUsage: () => generator.call<'usage'>(channel, { type: 'usage' }),
  };
}

async function closeChannel(generator: GeneratorProcess, channel: number, listeners: Listeners): Promise<void> {
  listeners.delete(channel);
  // A process that is gone has no load on.
  await generator.call<'close'>(channel, { type: 'close' }).catch(() => {});
}

function createLoadRun(generator: GeneratorProcess, channel: number, startedAtNs: number, onEnd: () => void): LoadRun {
  let stopping: Promise<void> | undefined;
  let onStopped: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    onStopped = resolve;
  });
  const ended = Promise.race([stopped, generator.ended]);
  // Whoever watches `ended` sees the failure; whoever does not sees it in `stop`.
  ended.catch(() => {});
  return {
    startedAtNs,
    ended,
    stop: () => {
      stopping ??= generator.call<'stop'>(channel, { type: 'stop' }).then(() => {
        onEnd();
        onStopped();
      });
      return stopping;
    },
  };
}

function parseCpuset(text: string): string {
  const cpus = parseCpuList(text);
  if (cpus === undefined) {
    throw new LoadError({
      where: 'generator.cpuset',
      what: `"${text}" is not a list of CPUs`,
      hint: 'Write it as the kernel does, e.g. "1" or "2-3,6".',
    });
  }
  if (process.platform !== 'linux') {
    throw new LoadError({
      where: 'generator.cpuset',
      what: `the load generator cannot be pinned to CPUs ${text} on ${process.platform}`,
      hint: 'Leave generator.cpuset out here; pinning works on Linux.',
    });
  }
  return formatCpuList(cpus);
}

/** A pinning that does not hold must stop the run: a generator on the server's CPU measures itself. */
function checkPinned(pid: number, asked: string): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '(not listed)';
  if (allowed === asked) return;
  throw new LoadError({
    where: 'generator.cpuset',
    what: `the load generator was pinned to CPUs ${asked} and may run on ${allowed}`,
    hint: 'Choose CPUs that exist here and that this process may use (see: taskset -pc $$).',
  });
}
