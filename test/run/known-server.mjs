// A KServe V2 server whose answers are known beforehand: one worker, first come first served, each request served for exactly the same time, each image called a 7.
// Arguments: the launcher's settings as JSON, service time (ms), what it does: "serves", "exits-after N requests", "answers-500 after N requests", "never-ready", "serves-otherwise",
// "slows" (the service time doubles every second, and begins anew after N seconds), "chatters" (replies of N numbers, made once, that cost the reader more than the writer).
import { createServer } from 'node:http';
import { serverParameters, servingParameters } from '../../dist/server/serving-parameters.js';

const [settings, serviceText, behaviour = 'serves', countText = '0'] = process.argv.slice(2);
const { models, ...ofServer } = JSON.parse(settings);
const [{ name: modelName }] = models;
const serviceMs = Number(serviceText);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const waiting = [];
let freeAtMs = 0;
let served = 0;
const chatter = JSON.stringify(
  Array.from({ length: behaviour === 'chatters' ? Number(countText) : 0 }, (_, index) => index / 7),
);

/** Answers what is done; sleeps while there is time and spins through the event loop for the last two milliseconds. */
function work() {
  while (waiting.length > 0 && waiting[0].doneMs <= nowMs()) answer(waiting.shift());
  if (waiting.length === 0) return;
  const leftMs = waiting[0].doneMs - nowMs();
  if (leftMs > 3) setTimeout(work, Math.floor(leftMs - 2));
  else setImmediate(work);
}

function answer({ response, batch, queueMs }) {
  served++;
  if (behaviour === 'exits-after' && served > Number(countText)) process.exit(3);
  if (behaviour === 'answers-500' && served > Number(countText)) {
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end('{"error":"on purpose"}');
    return;
  }
  const logits = Array.from({ length: batch }, () => [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]).flat();
  const outputs = [{ name: 'logits', datatype: 'FP32', shape: [batch, 10], data: logits }];
  if (behaviour === 'chatters')
    outputs.push({ name: 'chatter', datatype: 'FP32', shape: [Number(countText)], data: [] });
  response.setHeader('server-timing', `queue;dur=${queueMs.toFixed(3)}, compute;dur=${serviceMs.toFixed(3)}`);
  response.setHeader('content-type', 'application/json');
  // The chatter is the last of the outputs, so its empty list is the last of all.
  const text = JSON.stringify({ model_name: modelName, model_version: '1', outputs });
  response.end(behaviour === 'chatters' ? text.replace(/\[\](?=[^[]*$)/, chatter) : text);
}

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.statusCode = behaviour === 'never-ready' ? 503 : 200;
    const model = models.find(({ name }) => request.url.endsWith(`/${name}`)) ?? models[0];
    const parameters = {
      ...serverParameters(ofServer),
      ...servingParameters(model),
      ...(behaviour === 'serves-otherwise' && { max_batch: 7 }),
    };
    response.end(JSON.stringify({ name: model.name, inputs: [], outputs: [], parameters }));
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const jsonLength = Number(request.headers['inference-header-content-length'] ?? body.length);
    const batch = JSON.parse(body.subarray(0, jsonLength).toString()).inputs[0].shape[0];
    const arrivedMs = nowMs();
    const startMs = Math.max(arrivedMs, freeAtMs);
    freeAtMs = startMs + serviceMs * (behaviour === 'slows' ? 2 ** ((arrivedMs / 1e3) % Number(countText)) : 1);
    waiting.push({ response, batch, doneMs: freeAtMs, queueMs: startMs - arrivedMs });
    if (waiting.length === 1) work();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ dse: 'listening', url: `http://127.0.0.1:${server.address().port}` })}\n`);
});
process.stdin.resume().on('end', () => process.exit());
