/**
 * True against reported joules of the RAPL meter, on counters that are fed at a known wattage in real time.
 *
 * The truth is the wattage times the time between the two readings. A case in which the meter cannot know has to end in
 * a fault, and then has no energy. Then what a reading costs. Fails where a figure is off by more than 1 %, or a fault
 * is missing. Takes about 70 s; run it on a quiet machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EnergyMeter, energyBetween, faultsBetween, openMeter } from '../src/energy/index.ts';
import { monotonicNs } from '../src/units.ts';
import { createFakePowercap, type FakePowercap, type FakeZone, wrapsEvery3S } from '../test/energy/fake-powercap.ts';

const WINDOW_S = 5;
const LIMIT = 0.01;
const READINGS = 2000;

interface Case {
  readonly what: string;
  readonly zones: readonly FakeZone[];
  /** Watts of the zones that should be summed. */
  readonly trueW: number;
  /** Harm done in the middle of the window; the meter must then report a fault. */
  readonly harm?: (tree: FakePowercap) => Promise<void>;
}

const socket = (number: number, watts: number, rangeJ?: number): FakeZone => ({
  folder: `intel-rapl:${number}`,
  name: `package-${number}`,
  watts,
  startJ: 200,
  ...(rangeJ !== undefined && { rangeJ }),
});
const inside = (folder: string, name: string, watts: number, rangeJ = 262_143): FakeZone => ({
  folder,
  name,
  watts,
  rangeJ,
});

const CASES: readonly Case[] = [
  { what: 'one socket, 262 kJ range', zones: [socket(0, 65, 262_143)], trueW: 65 },
  { what: 'one socket that wraps every 3 s', zones: [socket(0, 150, wrapsEvery3S(150))], trueW: 150 },
  {
    what: 'package and dram, both wrap every 3 s',
    zones: [socket(0, 120, wrapsEvery3S(120)), inside('intel-rapl:0:0', 'dram', 80, wrapsEvery3S(80))],
    trueW: 200,
  },
  {
    what: 'two sockets with dram, one of them wraps',
    zones: [
      socket(0, 110, wrapsEvery3S(110)),
      inside('intel-rapl:0:0', 'dram', 9),
      socket(1, 70, 262_143),
      inside('intel-rapl:1:0', 'dram', 6),
    ],
    trueW: 195,
  },
  {
    what: 'core and uncore inside the package',
    zones: [socket(0, 90, 262_143), inside('intel-rapl:0:0', 'core', 60), inside('intel-rapl:0:1', 'uncore', 10)],
    trueW: 90,
  },
  {
    what: 'psys around it, and the package again (mmio)',
    zones: [socket(0, 90, 262_143), inside('intel-rapl:1', 'psys', 140), inside('intel-rapl-mmio:0', 'package-0', 90)],
    trueW: 90,
  },
  { what: 'unknown range, no wrap', zones: [socket(0, 80)], trueW: 80 },
  {
    what: 'unknown range, falls (wrap or reset)',
    zones: [socket(0, 80)],
    trueW: 80,
    harm: (tree) => tree.stepBack('intel-rapl:0', 300),
  },
  {
    what: 'known range, goes backwards',
    zones: [socket(0, 80, 262_143)],
    trueW: 80,
    harm: (tree) => tree.stepBack('intel-rapl:0', 300),
  },
  { what: 'vanishes', zones: [socket(0, 80, 262_143)], trueW: 80, harm: (tree) => tree.vanish('intel-rapl:0') },
  {
    what: 'vanishes for 1.2 s and comes back',
    zones: [socket(0, 80, 262_143)],
    trueW: 80,
    harm: async (tree) => {
      await tree.vanish('intel-rapl:0');
      await sleep(1200);
      await tree.revive('intel-rapl:0');
    },
  },
  { what: 'stands still', zones: [socket(0, 80, 262_143)], trueW: 80, harm: (tree) => tree.stick('intel-rapl:0') },
];

interface Outcome {
  readonly trueJ: number;
  readonly reportedJ: number | undefined;
  readonly fault: string | undefined;
  readonly readUs: number;
}

async function measure({ zones, trueW, harm }: Case): Promise<Outcome> {
  const root = await mkdtemp(join(tmpdir(), 'dse-energy-truth-'));
  try {
    await using tree = await createFakePowercap(root, zones);
    await using meter = await openRapl(root);
    const before = await meter.read();
    await sleep((WINDOW_S * 1000) / 2);
    await harm?.(tree);
    await sleep((WINDOW_S * 1000) / 2);
    const after = await meter.read();
    const { totalJ, durationS } = energyBetween(before, after);
    const fault = faultsBetween(meter, before.atNs, after.atNs)[0]?.reason;
    const readUs = await costOfReading(meter);
    return { trueJ: trueW * durationS, reportedJ: fault === undefined ? totalJ : undefined, fault, readUs };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function openRapl(powercapRoot: string): Promise<EnergyMeter> {
  const estimate = { idleW: 10, corePowerW: 6 };
  const meter = await openMeter({ source: 'rapl', powercapRoot, hwmonRoot: '/nowhere', idleS: 1, estimate });
  if (meter === undefined) throw new Error('no meter');
  return meter;
}

async function costOfReading(meter: EnergyMeter): Promise<number> {
  const startNs = monotonicNs();
  for (let reading = 0; reading < READINGS; reading++) await meter.read();
  return (monotonicNs() - startNs) / READINGS / 1e3;
}

function row(what: string, ...columns: readonly string[]): string {
  return [what.padEnd(46), ...columns.map((column) => column.padStart(11))].join('');
}

console.log(row('case', 'true J', 'reported J', 'error %', 'read us'));
let misses = 0;
for (const oneCase of CASES) {
  const { trueJ, reportedJ, fault, readUs } = await measure(oneCase);
  const error = reportedJ === undefined ? undefined : reportedJ / trueJ - 1;
  const isRight = oneCase.harm === undefined ? error !== undefined && Math.abs(error) <= LIMIT : fault !== undefined;
  if (!isRight) misses++;
  const reported = reportedJ?.toFixed(2) ?? 'none';
  console.log(
    row(
      oneCase.what,
      trueJ.toFixed(2),
      reported,
      error === undefined ? '-' : (error * 100).toFixed(2),
      readUs.toFixed(0),
    ),
  );
  if (fault !== undefined) console.log(`    fault: ${fault}`);
}
console.log(misses === 0 ? `all within ${LIMIT * 100} % or with a fault` : `${misses} cases missed`);
process.exitCode = misses === 0 ? 0 : 1;
