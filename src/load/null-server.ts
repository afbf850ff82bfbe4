import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that answers every request at once: what a generator does against it is the generator's own limit. Ends with its parent. */

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'Content-Length': 2 }).end('ok');
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
});
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
