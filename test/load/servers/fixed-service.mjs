// A server whose answer times are known beforehand: one worker, first come first served, each request served for exactly the same time.
// Arguments: service time (ms), [stall at (ms after the first request), stall for (ms)]. Prints its address as JSON once it listens.
// It speaks just enough HTTP for requests without a body, so that its own work adds as little as possible to the service time.
import { createServer } from 'node:net';

const [serviceMs = 5, stallAtMs = Number.NaN, stallForMs = 0] = process.argv.slice(2).map(Number);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const waiting = [];
let freeAtMs = 0;
let stallFromMs;

function take(socket) {
  const arrivedMs = nowMs();
  stallFromMs ??= arrivedMs + stallAtMs;
  let startMs = Math.max(arrivedMs, freeAtMs);
  if (startMs >= stallFromMs && startMs < stallFromMs + stallForMs) startMs = stallFromMs + stallForMs;
  freeAtMs = startMs + serviceMs;
  waiting.push({ socket, doneMs: freeAtMs, queueMs: startMs - arrivedMs });
  if (waiting.length === 1) work();
}

/** Answers what is done; sleeps while there is time and spins through the event loop for the last two milliseconds. */
function work() {
  while (waiting.length > 0 && waiting[0].doneMs <= nowMs()) {
    const { socket, queueMs } = waiting.shift();
    const timing = `queue;dur=${queueMs.toFixed(3)}, compute;dur=${serviceMs.toFixed(3)}`;
    if (socket.writable) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 6\r\nServer-Timing: ${timing}\r\n\r\nserved`);
  }
  if (waiting.length === 0) return;
  const leftMs = waiting[0].doneMs - nowMs();
  if (leftMs > 3) setTimeout(work, Math.floor(leftMs - 2));
  else setImmediate(work);
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      text = text.slice(end + 4);
      take(socket);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/` })}\n`);
});
process.stdin.resume().on('end', () => process.exit());
