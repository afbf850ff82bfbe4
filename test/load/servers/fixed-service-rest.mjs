// The fixed-service server with the REST of the protocol: one worker, first come first served, each request served for exactly the same time.
// Arguments: service time (ms). Prints its address as JSON once it listens. Bodies are read and not looked at; the answer is one output in JSON, and one class for requests that are images.
import { createServer } from 'node:http';

const [serviceMs = 5] = process.argv.slice(2).map(Number);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const waiting = [];
let freeAtMs = 0;
const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [1] }];
const answer = JSON.stringify({ outputs, predictions: [{ class: 0 }] });

function take(response) {
  const arrivedMs = nowMs();
  const startMs = Math.max(arrivedMs, freeAtMs);
  freeAtMs = startMs + serviceMs;
  waiting.push({ response, doneMs: freeAtMs, queueMs: startMs - arrivedMs });
  if (waiting.length === 1) work();
}

/** Answers what is done; sleeps while there is time and spins through the event loop for the last two milliseconds. */
function work() {
  while (waiting.length > 0 && waiting[0].doneMs <= nowMs()) {
    const { response, queueMs } = waiting.shift();
    const timing = `queue;dur=${queueMs.toFixed(3)}, compute;dur=${serviceMs.toFixed(3)}`;
    response.writeHead(200, { 'content-length': answer.length, 'server-timing': timing }).end(answer);
  }
  if (waiting.length === 0) return;
  const leftMs = waiting[0].doneMs - nowMs();
  if (leftMs > 3) setTimeout(work, Math.floor(leftMs - 2));
  else setImmediate(work);
}

const server = createServer({ noDelay: true }, (request, response) => {
  request.on('end', () => take(response)).resume();
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`);
});
process.stdin.resume().on('end', () => process.exit());
