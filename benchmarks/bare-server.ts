/**
 * The least that serves a model by KServe V2 from Node, for benchmarks that compare the server with it: `node:http` and the runtime on one thread, rest-binary, any path. No queue, no checks
 * but the wire format's, one request at a time in the runtime. Takes the name of a model; prints its address; ends with its standard input. Not run by hand.
 */
import '../src/no-telemetry.ts';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InferenceSession } from 'onnxruntime-node';
import { fromRuntimeTensor, sessionOptions, tensorSpecs, toRuntimeTensor } from '../src/engine/session.ts';
import { decodeInferRequest, encodeInferResponse } from '../src/kserve/index.ts';
import { getModel, PLAIN_ENGINE } from './serving-rig.ts';

const { file } = await getModel(process.argv[2] ?? '');
const session = await InferenceSession.create(file, sessionOptions(PLAIN_ENGINE));
const signature = { inputs: tensorSpecs(session.inputMetadata), outputs: tensorSpecs(session.outputMetadata) };

async function infer(request: IncomingMessage) {
  const bytes = await readWhole(request);
  const { tensors } = decodeInferRequest(request.headers, bytes, signature);
  const feeds = Object.fromEntries(tensors.map((tensor) => [tensor.name, toRuntimeTensor(tensor)]));
  const startMs = performance.now();
  const fetched = await session.run(feeds);
  const computeMs = performance.now() - startMs;
  const outputs = Object.entries(fetched).map(([name, tensor]) => fromRuntimeTensor(name, tensor));
  const binaryOutputs = new Set(Object.keys(fetched));
  const fields = { modelName: 'm', modelVersion: '1', id: undefined, outputs, binaryOutputs };
  return { ...encodeInferResponse(fields), computeMs };
}

async function readWhole(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(Number(request.headers['content-length']));
  let end = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes.set(chunk, end);
    end += chunk.byteLength;
  }
  return bytes;
}

const server = createServer((request, response) => {
  infer(request).then(
    ({ headers, body, computeMs }) => {
      response.writeHead(200, { ...headers, 'server-timing': `queue;dur=0, compute;dur=${computeMs.toFixed(3)}` });
      response.end(body);
    },
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
process.stdin.on('end', () => process.exit(0)).resume();
