// Plays a machine's energy counters: a process that keeps the counter files of a powercap (or hwmon) tree at what a given wattage would have made of them by now.
//
//   node fake-powercap-feeder.mjs '{"zones":[{"file":"/tmp/powercap/intel-rapl:0/energy_uj","watts":25,"rangeUj":75000000}]}'
//
// Started with an IPC channel (see fake-powercap.ts) it tells when the files are there, takes orders, and ends with its parent.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const EVERY_MS = 4;

const { zones } = JSON.parse(process.argv[2]);
const nowS = () => Number(process.hrtime.bigint()) / 1e9;

const counters = zones.map((zone) => ({ ...zone, totalUj: zone.startUj ?? 0, atS: nowS(), state: 'live' }));

try {
  setPriority(-10); // a counter of the hardware is not late because the machine is busy
} catch {
  // not allowed: then it is as punctual as any process
}

function advance(counter) {
  const atS = nowS();
  counter.totalUj += counter.watts * 1e6 * (atS - counter.atS);
  counter.atS = atS;
  if (counter.state !== 'live') return;
  const { file } = counter;
  writeFileSync(`${file}.next`, `${Math.floor(counter.totalUj % (counter.rangeUj ?? Number.POSITIVE_INFINITY))}\n`);
  renameSync(`${file}.next`, file); // a reader never sees half a number
}

const orders = {
  setWatts: (counter, watts) => {
    advance(counter);
    counter.watts = watts;
  },
  vanish: (counter) => {
    counter.state = 'vanished';
    rmSync(counter.file, { force: true });
  },
  stick: (counter) => {
    counter.state = 'stuck';
  },
  revive: (counter) => {
    counter.state = 'live';
  },
  stepBack: (counter, joules) => {
    counter.totalUj -= joules * 1e6;
  },
};

process.on('message', ({ order, zone, value }) => {
  for (const counter of counters) if (counter.zone === zone) orders[order](counter, value);
  process.send({ done: order });
});
process.on('disconnect', () => process.exit());

const advanceAll = () => {
  try {
    counters.forEach(advance);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    process.exit(); // the test is over and has removed the tree
  }
};
advanceAll();
process.send?.({ done: 'start' });
setInterval(advanceAll, EVERY_MS);
