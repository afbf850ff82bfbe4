import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import {
  AUTOCANNON_VERSION,
  type AutocannonClient,
  PARSER_CALLBACK,
  startClients,
} from '../../src/load/generator/autocannon.ts';

/**
 * What pacing leans on inside autocannon. A failure here after an update means: read lib/httpClient.js again and adapt `PacedClient` before the pin moves.
 */
let server: Server;
let url: string;
let paced = 0;

beforeAll(async () => {
  server = createServer(({ url: path }, response) => {
    if (path === '/paced') paced++;
    response.end('answer');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** Runs with one client that is looked at inside `setupClient` and later. */
async function withClient(setup: (client: AutocannonClient) => void, use: (client: AutocannonClient) => Promise<void>) {
  let client: AutocannonClient | undefined;
  const end = startClients(url, 1, (made) => {
    client = made;
    setup(made);
  });
  try {
    await use(client as AutocannonClient);
  } finally {
    await end();
  }
}

test('autocannon is pinned to exactly the version that pacing was written for', () => {
  expect(packageJson.dependencies.autocannon).toBe(AUTOCANNON_VERSION);
});

describe('a client of autocannon', () => {
  test('is set up before it connects, with every method that pacing replaces', async () => {
    const methods = [
      '_connect',
      '_doRequest',
      '_destroyConnection',
      'getRequestBuffer',
      'destroy',
      'on',
      'emit',
    ] as const;
    await withClient(
      (client) => {
        expect(client.conn).toBeUndefined();
        for (const method of methods) expect(client[method], method).toBeTypeOf('function');
      },
      async (client) => {
        expect(client.conn).toBeDefined();
      },
    );
  });

  test('holds its parser callbacks under known keys by the time it first connects', async () => {
    await withClient(
      (client) => {
        const connect = client._connect;
        client._connect = () => {
          for (const key of Object.values(PARSER_CALLBACK)) {
            expect(Object.hasOwn(client.parser, key), `callback ${key}`).toBe(true);
          }
          expect(client.parser.type).toBe('RESPONSE');
          expect(client.parser.state).toBe('RESPONSE_LINE');
          connect.call(client);
        };
      },
      async (client) => {
        await once(client, 'response');
      },
    );
  });

  test('sends through _doRequest what getRequestBuffer gives, once per connection and once after each reply', async () => {
    let asked = 0;
    await withClient(
      (client) => {
        const doRequest = client._doRequest;
        client.getRequestBuffer = () => Buffer.from('GET /paced HTTP/1.1\r\nHost: here\r\n\r\n');
        client._doRequest = () => {
          asked++;
          if (asked <= 2) doRequest.call(client);
        };
      },
      async (client) => {
        await once(client, 'response');
        await once(client, 'response');
        // The third wish comes with the second reply, and nothing is sent for it.
        await new Promise((resolve) => setTimeout(resolve, 50));
      },
    );
    expect(asked).toBe(3);
    expect(paced).toBe(2);
  });

  test('tells of a reply before it wishes to send the next', async () => {
    const order: string[] = [];
    await withClient(
      (client) => {
        const doRequest = client._doRequest;
        client.on('response', () => order.push('response'));
        client._doRequest = () => {
          order.push('wish');
          if (order.length === 1) doRequest.call(client);
        };
      },
      async (client) => {
        await once(client, 'response');
        await new Promise((resolve) => setImmediate(resolve));
      },
    );
    expect(order).toEqual(['wish', 'response', 'wish']);
  });

  test('connects again by itself through _connect when the server ends the connection', async () => {
    let connects = 0;
    await withClient(
      (client) => {
        const connect = client._connect;
        client._connect = () => {
          connects++;
          if (connects === 1) connect.call(client);
        };
      },
      async (client) => {
        await once(client, 'response');
        server.closeAllConnections();
        await expect.poll(() => connects).toBe(2);
      },
    );
  });

  test('refuses to switch its correction for coordinated omission off where no rate is set, as none then runs', async () => {
    const { createRequire } = await import('node:module');
    const autocannon = createRequire(import.meta.url)('autocannon') as (
      options: object,
      done: (error: Error) => void,
    ) => void;
    const error = await new Promise<Error>((resolve) => autocannon({ url, ignoreCoordinatedOmission: true }, resolve));
    expect(error.message).toBe('ignoreCoordinatedOmission makes no sense without connectionRate or overallRate');
  });
});
