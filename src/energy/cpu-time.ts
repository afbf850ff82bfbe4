import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** USER_HZ: the kernel shows CPU times in hundredths of a second on every architecture that Node runs on. */
const TICKS_PER_S = 100;

/**
 * Seconds for which the CPUs of the whole machine were busy since boot, all CPUs added, in steps of 10 ms per CPU and
 * state.
 *
 * Busy is user, nice, system, irq and softirq. Idle, iowait and steal (other machines on the same host) are not; guest
 * time is in user already.
 * @throws Error if the file cannot be read or has no such line
 * Source: proc_stat(5).
 */
export function readBusyS(procStat: string): number {
  const [, fields] = /^cpu +(\d+(?: \d+){6,})$/m.exec(readFileSync(procStat, 'utf8')) ?? [];
  if (fields === undefined) throw new Error(`${procStat} has no line "cpu" with the times of all CPUs`);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields.split(' ').map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_S;
}

/** The same by way of Node, for machines without /proc. */
export function busySOfNode(): number {
  return cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1000, 0);
}
