// A server whose answer times are known beforehand: one worker, first come first served, each request served for exactly the same time.
// Arguments: service time (ms), [stall at (ms after the first request), stall for (ms)]. Prints its address as JSON once it listens.
import { createServer } from 'node:http';

const [serviceMs = 5, stallAtMs = Number.NaN, stallForMs = 0] = process.argv.slice(2).map(Number);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const waiting = [];
let freeAtMs = 0;
let stallFromMs;

const server = createServer((request, response) => {
  const arrivedMs = nowMs();
  stallFromMs ??= arrivedMs + stallAtMs;
  let startMs = Math.max(arrivedMs, freeAtMs);
  if (startMs >= stallFromMs && startMs < stallFromMs + stallForMs) startMs = stallFromMs + stallForMs;
  freeAtMs = startMs + serviceMs;
  request.resume();
  waiting.push({ response, doneMs: freeAtMs, queueMs: startMs - arrivedMs });
  if (waiting.length === 1) work();
});

/** Answers what is done; sleeps while there is time and spins through the event loop for the last two milliseconds. */
function work() {
  while (waiting.length > 0 && waiting[0].doneMs <= nowMs()) {
    const { response, queueMs } = waiting.shift();
    response.setHeader('Server-Timing', `queue;dur=${queueMs.toFixed(3)}, compute;dur=${serviceMs.toFixed(3)}`);
    response.end('served');
  }
  if (waiting.length === 0) return;
  const leftMs = waiting[0].doneMs - nowMs();
  if (leftMs > 3) setTimeout(work, Math.floor(leftMs - 2));
  else setImmediate(work);
}

server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () =>
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/` })}\n`),
);
process.stdin.resume().on('end', () => process.exit());
