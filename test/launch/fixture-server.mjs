// A server small enough to know everything about, for the launcher's tests. Its argument is the JSON of ServerSettings; the name of its model says how it misbehaves.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const settings = JSON.parse(process.argv[2]);
const behaviour = settings.models[0].name;
const kept = [];

const actions = {
  '/burn': (ms) => {
    const endMs = cpuMs() + ms;
    while (cpuMs() < endMs);
    return { burntMs: ms };
  },
  // Wants a whole CPU for so long, whatever it is given.
  '/spin': (ms) => {
    const startedMs = cpuMs();
    const endMs = performance.now() + ms;
    while (performance.now() < endMs);
    return { cpuMs: cpuMs() - startedMs };
  },
  '/allocate': (mb) => {
    kept.push(Buffer.alloc(mb * 1e6, 1));
    return { mb };
  },
  '/release': release,
  '/child': () => ({ pid: spawn('sleep', ['60'], { stdio: 'ignore' }).pid }),
  '/log': (lines) => {
    for (let line = 1; line <= lines; line++) say(`line ${line}`);
    return {};
  },
  '/exit': (code) => setTimeout(() => process.exit(code), 10) && {},
};

/** Answers when the kernel has the memory back: V8 sweeps buffers on another thread, some time after the collection. */
async function release() {
  const keptBytes = kept.reduce((sum, { length }) => sum + length, 0);
  const goalBytes = process.memoryUsage.rss() - 0.9 * keptBytes;
  kept.length = 0;
  for (let attempt = 1; process.memoryUsage.rss() > goalBytes; attempt++) {
    if (attempt > 1_000) throw new Error(`${keptBytes} bytes were not given back`);
    globalThis.gc();
    await sleep(5);
  }
  return { releasedBytes: keptBytes };
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

if (settings.exitOnStdinEnd && behaviour !== 'ignores-stdin') process.stdin.resume().on('end', () => process.exit(0));
// As the first process of a container it would not get the default action of a signal.
process.on('SIGTERM', () => (behaviour === 'ignores-sigterm' ? say('no') : process.exit(0)));
say(`fixture started as ${behaviour}`);

if (behaviour === 'dies') {
  say('the model file is broken');
  process.exit(7);
} else if (behaviour === 'eats-memory') {
  for (;;) kept.push(Buffer.alloc(10e6, 1));
} else if (behaviour === 'never-listens') {
  setInterval(() => {}, 1e3);
} else {
  const server = createServer((request, response) => {
    request.resume().on('end', async () => {
      const { pathname, searchParams } = new URL(request.url, 'http://localhost');
      response.end(JSON.stringify((await actions[pathname]?.(Number(searchParams.get('n')))) ?? {}));
    });
  });
  server.listen(settings.port, settings.host, () => {
    const { address, port } = server.address();
    process.stdout.write(`${JSON.stringify({ dse: 'listening', url: `http://${address}:${port}` })}\n`);
  });
}
