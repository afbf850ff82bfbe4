import { readFile } from 'node:fs/promises';
import os from 'node:os';
import si from 'systeminformation';
import type { MachineFact, MachineFingerprint } from '../store/types.ts';

/**
 * What can change a result and belongs to this machine, each fact with its reason; null where the machine does not tell.
 *
 * Facts that differ between two runs of one experiment are two machines (or two states of one) as far as comparing numbers goes.
 */
export async function describeMachine(): Promise<MachineFingerprint> {
  const [cpu, memory, system, governor, smt, turbo] = await Promise.all([
    si.cpu(),
    si.mem(),
    si.system(),
    readSetting('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    readSetting('/sys/devices/system/cpu/smt/active'),
    readSetting('/sys/devices/system/cpu/intel_pstate/no_turbo'),
  ]);
  return {
    host: os.hostname(),
    facts: {
      cpu_model: fact(
        cpu.brand && `${cpu.manufacturer} ${cpu.brand}`.trim(),
        'speed and energy differ from one processor to the next',
      ),
      cpu_flags: fact(vectorFlags(cpu.flags), 'vector instructions decide which kernels the runtime picks'),
      cpus_online: fact(os.availableParallelism(), 'how many CPUs server and generator can be kept apart on'),
      cpu_cores: fact(cpu.physicalCores, 'logical CPUs of one core share its execution units'),
      smt_active: fact(smt, 'two threads of one core slow each other down'),
      cpu_governor: fact(governor, 'a governor other than performance lowers the clock between requests'),
      no_turbo: fact(turbo, 'turbo makes speed depend on temperature and on the other cores'),
      memory_total_bytes: fact(memory.total, 'a model that does not fit is swapped'),
      swap_total_bytes: fact(memory.swaptotal, 'swapping shows as latency'),
      virtualised: fact(system.virtual, "a hypervisor's other guests take time away"),
      os: fact(`${os.type()} ${os.release()} ${os.arch()}`, 'scheduler and network stack come with the kernel'),
      node: fact(process.version, 'runs server and generator'),
    },
  };
}

/** Vector extensions that inference kernels are chosen by. */
function vectorFlags(flags: string): string {
  return flags
    .split(/\s+/)
    .filter((flag) => /^(avx|sse4|fma|amx|f16c|neon|asimd|sve|vnni)/.test(flag))
    .join(' ');
}

async function readSetting(file: string): Promise<string | undefined> {
  return (await readFile(file, 'utf8').catch(() => undefined))?.trim();
}

function fact(value: string | number | boolean | undefined, why: string): MachineFact {
  return { value: value === undefined || value === '' ? null : value, why };
}
