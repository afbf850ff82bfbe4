import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { MeterError, messageOf } from '../errors.ts';
import type { EnergySpec } from '../spec/types.ts';
import { monotonicNs } from '../units.ts';
import type { MeterOptions } from './options.ts';
import { startPowerMeter } from './power-meter.ts';
import type { PowerSample } from './power-trace.ts';
import type { EnergyMeter } from './types.ts';

const QUERY = ['--query-gpu=index,power.draw', '--format=csv,noheader,nounits'];
const INTERVAL_MS = 200;
const TIMEOUT_MS = 5000;
const MAX_GAP_S = 3;

/**
 * Power of all NVIDIA graphics cards as `nvidia-smi` shows it; not of the processor and the rest of the machine.
 *
 * One process of it is kept and prints every 200 ms, because starting it costs more than reading the cards. Recent
 * cards show a mean over the last second, so windows of a few seconds are blurred by up to a second at both ends.
 * @throws MeterError if the program is not there, fails, or a card does not show its power
 */
export async function openNvidiaSmi(_spec: EnergySpec, options: MeterOptions = {}): Promise<EnergyMeter> {
  const program = options.nvidiaSmi ?? 'nvidia-smi';
  try {
    const gpus = await listGpus(program);
    const stream = startStream(program, gpus);
    return await startPowerMeter({
      source: 'nvidia-smi',
      description: `${gpus.join(' + ')} through nvidia-smi, power sampled every ${INTERVAL_MS} ms; graphics cards only`,
      sample: stream.next,
      end: stream.end,
      intervalMs: 0,
      maxGapS: MAX_GAP_S,
    });
  } catch (error) {
    throw new MeterError(
      {
        what: `nvidia-smi cannot be used: ${messageOf(error)}`,
        hint: `Install the NVIDIA driver, and see that this prints an index and watts for each card: ${program} ${QUERY.join(' ')}`,
      },
      error,
    );
  }
}

async function listGpus(program: string): Promise<string[]> {
  const { failed, code, exitCode, stdout, originalMessage, shortMessage } = await execa(program, QUERY, {
    stdin: 'ignore',
    reject: false,
    timeout: 2 * TIMEOUT_MS,
  });
  if (code === 'ENOENT') throw new Error(`there is no program "${program}" here`);
  if (exitCode !== undefined && failed) {
    throw new Error(
      `it ended with exit code ${exitCode}: ${stdout
        .trim()
        .slice(0, 200)
        .replaceAll(/\s*\n\s*/g, '; ')}`,
    );
  }
  if (failed) throw new Error(originalMessage ?? shortMessage);
  const gpus = stdout.split('\n').map((line) => parseLine(line).gpu);
  return gpus;
}

interface SampleStream {
  readonly next: (signal: AbortSignal) => Promise<PowerSample>;
  readonly end: () => Promise<void>;
}

/** Starts the process that prints for good, one line per card and tick. A sample is there when each card has had its line. */
function startStream(program: string, gpus: readonly string[]): SampleStream {
  const child = execa(program, [...QUERY, '-lms', String(INTERVAL_MS)], {
    stdin: 'ignore',
    reject: false,
    buffer: false,
  });
  const samples = new EventEmitter<{ sample: [PowerSample | Error] }>();
  let hasEnded = false;
  let zonesW: Record<string, number> = {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    try {
      const { gpu, watts } = parseLine(line);
      zonesW[gpu] = watts;
    } catch (error) {
      samples.emit('sample', error as Error);
    }
    if (gpus.some((gpu) => zonesW[gpu] === undefined)) return;
    samples.emit('sample', { atNs: monotonicNs(), zonesW });
    zonesW = {};
  });
  const ended = child.then(({ shortMessage }) => {
    hasEnded = true;
    samples.emit('sample', new Error(`process ended: ${shortMessage ?? 'without a failure'}`));
  });
  return {
    async next(signal) {
      if (hasEnded) throw new Error('process ended');
      const timeout = AbortSignal.timeout(TIMEOUT_MS);
      const [sample] = await once(samples, 'sample', { signal: AbortSignal.any([signal, timeout]) }).catch((error) => {
        throw timeout.aborted ? new Error(`printed nothing for ${TIMEOUT_MS / 1000} s`) : error;
      });
      if (sample instanceof Error) throw sample;
      return sample;
    },
    async end() {
      child.kill();
      await ended;
    },
  };
}

/** @throws Error if the line is not an index and watts, e.g. "0, [N/A]" of a card that does not measure its power */
function parseLine(line: string): { gpu: string; watts: number } {
  const [, index, watts] = /^\s*(\d+)\s*,\s*(\d+(?:\.\d+)?)\s*$/.exec(line) ?? [];
  if (index === undefined) throw new Error(`printed "${line.slice(0, 80)}", which is not an index and watts`);
  return { gpu: `gpu-${index}`, watts: Number(watts) };
}
