import { z } from 'zod';
import { durationMs, httpUrl, memoryBytes, portNumber, positiveNumber, text } from './values.ts';

/**
 * A file that describes a gateway. The one place for its keys, their meaning and their defaults; the JSON Schema for editors is generated from it.
 *
 * What takes more than one key to judge, such as a target on a server that is not listed, is checked in `gateway-file.ts`.
 */

const ADDRESS = 'the address of an HTTP server without a path, e.g. http://127.0.0.1:8081';
/** The host as a name, an IPv4 address, or an IPv6 address in brackets. */
const HOST_AND_PORT = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/;
const NAME = 'a short name, e.g. a';
const SEED = 'a whole number, e.g. 42';
const TARGETS = 'one or more targets, e.g. [{ upstream: a, share: 9 }, { upstream: b, share: 1 }]';
const GRPC_ADDRESS = 'host and port, e.g. 127.0.0.1:9001';
const GRPC = 'e.g. { port: 9000, upstreams: { a: "127.0.0.1:9001" } }';
const UPSTREAMS = 'servers by name, e.g. { a: "http://127.0.0.1:8081" }';

const targetSchema = z.strictObject(
  {
    upstream: text('the name of a server under `upstreams`, e.g. a').describe(
      'Server that answers, by its name under `upstreams`.',
    ),
    model: text('the name of a model on that server, e.g. mnist-cnn')
      .describe("The model's name on that server; that of the entry where left out.")
      .optional(),
    share: positiveNumber(9)
      .describe('Part of the requests, in proportion to the other targets of the entry that are ready.')
      .prefault(1),
  },
  { error: 'a target, e.g. { upstream: a, share: 9 }' },
);

export const gatewayFileSchema = z
  .strictObject(
    {
      host: text('an address of this machine, e.g. 127.0.0.1').describe('Address to listen on.').prefault('127.0.0.1'),
      port: portNumber().describe('Port to listen on; 0 lets the system choose.').prefault(8080),
      upstreams: z
        .record(
          z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: NAME }),
          httpUrl().refine((url) => new URL(url).pathname === '/', { error: ADDRESS }),
          { error: UPSTREAMS },
        )
        .refine((upstreams) => Object.keys(upstreams).length > 0, { error: UPSTREAMS })
        .describe('The servers behind the gateway: name -> address. Each speaks KServe V2 over REST.'),
      grpc: z
        .strictObject(
          {
            port: portNumber()
              .describe('Port of the gRPC side, at the same host; 0 lets the system choose.')
              .prefault(9000),
            upstreams: z
              .record(z.string(), z.string({ error: GRPC_ADDRESS }).regex(HOST_AND_PORT, { error: GRPC_ADDRESS }), {
                error: 'addresses by the names of servers, e.g. { a: "127.0.0.1:9001" }',
              })
              .describe('Where each server under `upstreams` serves gRPC: name -> host and port.'),
          },
          { error: GRPC },
        )
        .describe('Passes calls over gRPC on, too.')
        .optional(),
      models: z
        .record(z.string(), z.array(targetSchema, { error: TARGETS }).min(1, { error: TARGETS }), {
          error: 'models by name, e.g. { digits: [{ upstream: a, model: mnist-cnn }] }',
        })
        .refine((models) => Object.keys(models).length > 0, { error: 'one model or more, or leave it out' })
        .describe(
          'The models served, by the name that clients use, and who answers for each. Nothing else is served. Left out: every model that the servers list, in equal shares by all that have it.',
        )
        .optional(),
      seed: z
        .int({ error: SEED })
        .min(-(2 ** 31), { error: SEED })
        .max(2 ** 31 - 1, { error: SEED })
        .describe('Of the choice between targets: the same requests go the same ways again.')
        .prefault(1),
      poll: z
        .strictObject(
          {
            interval: positiveMs('1s').describe('Time between two looks at the health of a server.').prefault('1s'),
            timeout: positiveMs('2s').describe('How long a server may take to answer such a look.').prefault('2s'),
          },
          { error: 'times, e.g. { interval: 1s, timeout: 2s }' },
        )
        .describe('How servers are watched.')
        .prefault({}),
      timeout: positiveMs('60s')
        .describe('How long a server may take to begin its answer once it has a request; then the client gets 504.')
        .prefault('60s'),
      body_limit: memoryBytes().describe('Larger request bodies are answered with 413.').prefault('256MB'),
      drain: durationMs('5s')
        .describe('How long requests in flight may take to be answered once the gateway is stopped.')
        .prefault('5s'),
    },
    { error: 'a gateway, e.g. "upstreams:" followed by names and addresses' },
  )
  .describe('A gateway: one address in front of many servers.');

export type WrittenGateway = z.output<typeof gatewayFileSchema>;

/** JSON Schema (2020-12) of the file, for editors. */
export function gatewayJsonSchema(): Record<string, unknown> {
  return { title: 'dse gateway', ...z.toJSONSchema(gatewayFileSchema, { io: 'input' }) };
}

function positiveMs(example: string) {
  return durationMs(example).refine((ms) => ms > 0, { error: `a duration above zero, e.g. ${example}` });
}
