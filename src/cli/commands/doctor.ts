import { describeEstimate, probeMeters } from '../../energy/index.ts';
import { assignCpus, describeEngine, describeLimitSupport, onlineCpus } from '../../launch/index.ts';
import { type GeneratorCeiling, measureGeneratorCeiling } from '../../load/index.ts';
import { packageVersion } from '../../package-files.ts';
import { describeMachine } from '../../run/index.ts';
import { defaultEnergySpec } from '../../spec/index.ts';
import { type MachineFingerprint, openStore, readResults } from '../../store/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

/** Something this machine can or cannot do for a measurement. */
interface Finding {
  readonly topic: string;
  readonly isAvailable: boolean;
  readonly what: string;
  /** What would make it available, or better. */
  readonly fix?: string;
}

const LIMIT_MEANING = {
  cpuset: 'pin server and generator to CPUs',
  cpus: 'limit CPU (quota)',
  memory: 'limit memory',
  usage: 'count CPU time and memory exactly',
  frequency: 'hold the CPU clock',
} as const;

/** `dse doctor`: what this machine can measure and limit, and the exact fix for what it cannot. */
export async function doctor(options: { readonly json?: boolean; readonly out?: string }): Promise<ExitCode> {
  const energy = defaultEnergySpec();
  const [machine, limits, meters] = await Promise.all([describeMachine(), describeLimitSupport(), probeMeters(energy)]);
  const startedAt = new Date().toISOString();
  const engines = await Promise.all((['docker', 'podman'] as const).map(describeEngine));
  const ceiling = await measureCeiling();
  if (options.out !== undefined) await keepCeiling(options.out, machine, { startedAt, ...ceiling });
  const findings: Finding[] = [
    cpuFinding(),
    ceilingFinding(ceiling),
    ...limits.map(({ limit, ...support }) => toFinding('limits', LIMIT_MEANING[limit], support)),
    ...engines.map((engine): Finding => ({ topic: 'engine', ...engine })),
    ...meters.map(({ source, ...probe }) => toFinding('energy', source, probe)),
  ];
  const estimate = describeEstimate(energy);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ dseVersion: packageVersion(), machine, findings, generatorCeiling: ceiling, estimate })}\n`
      : `${renderMachine(machine)}\n${renderFindings(findings)}\n${renderEstimate(estimate)}`,
  );
  return EXIT.ok;
}

function cpuFinding(): Finding {
  const online = onlineCpus();
  const { server, generator, isShared } = assignCpus(online, {});
  if (isShared) {
    return {
      topic: 'load',
      isAvailable: false,
      what: 'server and load generator may run on the same CPU, and disturb each other',
      fix: 'use a Linux machine with at least two CPUs; trials are marked shared-cpu here',
    };
  }
  return { topic: 'load', isAvailable: true, what: `server on CPU ${server}, load generator on CPU ${generator}` };
}

/** How many requests a second the load generator sends on time here, against a server that answers at once. */
async function measureCeiling(): Promise<GeneratorCeiling> {
  const { server, generator } = assignCpus(onlineCpus(), {});
  return measureGeneratorCeiling({
    ...(server === undefined ? {} : { serverCpuset: server }),
    ...(generator === undefined ? {} : { generatorCpuset: generator }),
  });
}

/**
 * Keeps the ceiling in a result folder, where trials measured from then on name it.
 *
 * @throws StoreError where the folder holds no results
 */
async function keepCeiling(
  outDir: string,
  machine: MachineFingerprint,
  ceiling: GeneratorCeiling & { readonly startedAt: string },
): Promise<void> {
  const { manifest } = await readResults(outDir);
  await using store = await openStore(outDir, { ...manifest, machine });
  await store.append({ kind: 'generator-ceiling', host: machine.host, ...ceiling });
}

function ceilingFinding({ ceilingRps, steps }: GeneratorCeiling): Finding {
  const held = steps.find(({ rateRps }) => rateRps === ceilingRps);
  const percent = (share = 0) => `${(share * 100).toFixed(1)} %`;
  // Steps beyond the ceiling that say nothing of the generator leave it open how far it would go.
  const undecided = steps.find(({ rateRps, isDisturbed }) => rateRps > ceilingRps && isDisturbed);
  const quieter =
    'close other programs, or measure at a quieter time; trials disturbed like this say generator-late or host-busy';
  if (held === undefined) {
    const [lowest] = steps;
    const late = `at ${lowest?.rateRps} requests/s ${percent(lowest?.lateShare)} left over 1 ms late`;
    const what =
      undecided === undefined
        ? `the load generator is too slow here: ${late}`
        : `how fast the load generator can send could not be found out: ${late}, while other programs or a hypervisor held the CPUs ${percent(lowest?.cpuLostShare)} of the time`;
    return { topic: 'load', isAvailable: false, what, fix: quieter };
  }
  const lag = held.lagP99Ms === undefined ? '' : `, p99 send lag ${held.lagP99Ms.toFixed(2)} ms`;
  const what = `the load generator holds ${ceilingRps} requests/s on time${lag}`;
  return undecided === undefined
    ? { topic: 'load', isAvailable: true, what }
    : {
        topic: 'load',
        isAvailable: true,
        what: `${what}; ${undecided.rateRps} requests/s could not be tried, because other programs or a hypervisor held the CPUs ${percent(undecided.cpuLostShare)} of the time`,
        fix: quieter,
      };
}

type Support =
  | { readonly isAvailable: true; readonly mechanism?: string; readonly description?: string }
  | { readonly isAvailable: false; readonly why: string; readonly fix: string };

function toFinding(topic: string, name: string, support: Support): Finding {
  return support.isAvailable
    ? { topic, isAvailable: true, what: `${name}: ${support.mechanism ?? support.description}` }
    : { topic, isAvailable: false, what: `${name}: ${support.why}`, fix: support.fix };
}

function renderMachine({ host, facts }: Awaited<ReturnType<typeof describeMachine>>): string {
  const rows = Object.entries(facts).filter(([name]) => name !== 'cpu_flags');
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, { value }]) => `  ${name.padEnd(width)}  ${value ?? 'not told by this machine'}`);
  return [`dse ${packageVersion()} on ${host}`, ...lines, ''].join('\n');
}

function renderFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ topic, isAvailable, what, fix }) => {
      const line = `${isAvailable ? 'yes' : 'no '}  ${topic.padEnd(6)}  ${what}\n`;
      return fix === undefined ? line : `${line}             fix: ${fix.replaceAll('\n', '\n                  ')}\n`;
    })
    .join('');
}

function renderEstimate({ formula, source, offBy }: ReturnType<typeof describeEstimate>): string {
  return `The energy estimate, where no meter works: ${formula} (${source}).\nIt is off by\n${offBy.map((line) => `  - ${line}\n`).join('')}`;
}
