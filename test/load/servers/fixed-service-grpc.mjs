// The fixed-service server over gRPC: one worker, first come first served, each request served for exactly the same time.
// Arguments: service time (ms). Prints its address as JSON once it listens.
import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [serviceMs = 5] = process.argv.slice(2).map(Number);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const waiting = [];
let freeAtMs = 0;

function take(call, callback) {
  const arrivedMs = nowMs();
  const startMs = Math.max(arrivedMs, freeAtMs);
  freeAtMs = startMs + serviceMs;
  waiting.push({ callback, doneMs: freeAtMs, queueMs: startMs - arrivedMs, name: call.request.model_name });
  if (waiting.length === 1) work();
}

/** Answers what is done; sleeps while there is time and spins through the event loop for the last two milliseconds. */
function work() {
  while (waiting.length > 0 && waiting[0].doneMs <= nowMs()) {
    const { callback, queueMs, name } = waiting.shift();
    const trailer = new Metadata();
    trailer.set('server-timing', `queue;dur=${queueMs.toFixed(3)}, compute;dur=${serviceMs.toFixed(3)}`);
    const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], contents: { fp32_contents: [1] } }];
    callback(null, { model_name: name, outputs }, trailer);
  }
  if (waiting.length === 0) return;
  const leftMs = waiting[0].doneMs - nowMs();
  if (leftMs > 3) setTimeout(work, Math.floor(leftMs - 2));
  else setImmediate(work);
}

const proto = loadSync(new URL('../../../proto/open-inference.proto', import.meta.url).pathname, { keepCase: true });
const server = new Server();
server.addService(proto['inference.GRPCInferenceService'], { ModelInfer: take });
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ url: `127.0.0.1:${port}` })}\n`);
});
process.stdin.resume().on('end', () => process.exit());
