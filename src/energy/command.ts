import { execa } from 'execa';
import { MeterError, messageOf } from '../errors.ts';
import type { EnergySpec } from '../spec/types.ts';
import { monotonicNs } from '../units.ts';
import { startPowerMeter } from './power-meter.ts';
import type { PowerSample } from './power-trace.ts';
import { systemErrorCode } from './system-error.ts';
import type { EnergyMeter } from './types.ts';

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 5000;

/**
 * Power as printed by the user's own command, for what no kernel shows: a smart plug, a wattmeter, IPMI.
 *
 * The command runs in a shell once a second and prints one number in watts. What it prints counts for the middle of its
 * run. Each run costs what the command costs, on the machine that is being measured: prefer one that asks another
 * machine.
 * @throws MeterError if no command is named, or its first run does not print watts
 */
export async function openCommandMeter(spec: EnergySpec): Promise<EnergyMeter> {
  const { command } = spec;
  if (command === undefined) {
    throw new MeterError({
      what: 'energy source "command" has no command',
      hint: 'Name one that prints the present power draw in watts, e.g. energy: { source: command, command: "sudo ipmitool dcmi power reading | awk \'/Instantaneous/{print $4}\'" }',
    });
  }
  try {
    return await startPowerMeter({
      source: 'command',
      description: `watts printed by "${command}"`,
      sample: (signal) => runCommand(command, signal),
      intervalMs: INTERVAL_MS,
      maxGapS: (INTERVAL_MS + 2 * TIMEOUT_MS) / 1000,
    });
  } catch (error) {
    throw new MeterError(
      {
        what: `energy source "command" does not work: ${messageOf(error)}`,
        hint: 'Run the command by hand: it has to print one number in watts, nothing else, within 5 s.',
      },
      error,
    );
  }
}

async function runCommand(command: string, signal: AbortSignal): Promise<PowerSample> {
  const startNs = monotonicNs();
  // A group of its own, so that whatever the shell started ends with it.
  const child = execa(command, { shell: true, detached: true, stdin: 'ignore', reject: false });
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const stop = AbortSignal.any([signal, timeout]);
  const endGroup = () => killGroup(child.pid);
  stop.addEventListener('abort', endGroup);
  const { exitCode, signal: endedBy, stdout, stderr } = await child;
  stop.removeEventListener('abort', endGroup);
  if (timeout.aborted) throw new Error(`"${command}" did not end within ${TIMEOUT_MS / 1000} s`);
  if (exitCode !== 0) throw new Error(`"${command}" ended with ${exitCode ?? endedBy}: ${stderr.slice(-200)}`);
  return { atNs: (startNs + monotonicNs()) / 2, zonesW: { command: parseWatts(command, stdout) } };
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error; // all of it has ended already
  }
}

function parseWatts(command: string, printed: string): number {
  const [, number] = /^(\d+(?:\.\d+)?)\s*(?:W|watts?)?$/i.exec(printed.trim()) ?? [];
  if (number === undefined)
    throw new Error(`"${command}" printed "${printed.slice(0, 80)}", which is no number of watts`);
  return Number(number);
}
