import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../src/package-files.ts';
import { gatewayJsonSchema, parseGatewayFile } from '../../src/spec/index.ts';

function problemsOf(text: string): string {
  try {
    parseGatewayFile(text, 'gateway.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('the description of a gateway', () => {
  test('has every default filled in', () => {
    expect(parseGatewayFile('upstreams: { a: "http://127.0.0.1:8081/" }', 'gateway.yaml')).toEqual({
      ...{ host: '127.0.0.1', port: 8080, seed: 1, upstreams: [{ name: 'a', url: 'http://127.0.0.1:8081' }] },
      ...{
        pollIntervalMs: 1_000,
        pollTimeoutMs: 2_000,
        timeoutMs: 60_000,
        bodyLimitBytes: 256e6,
        drainTimeoutMs: 5_000,
      },
    });
  });

  test('has an address for gRPC of every server where it is asked for', () => {
    const upstreams = 'upstreams: { a: "http://127.0.0.1:8081", b: "http://127.0.0.1:8082" }\n';
    const { grpcPort, upstreams: servers } = parseGatewayFile(
      `${upstreams}grpc: { upstreams: { a: "127.0.0.1:9001", b: "[::1]:9002" } }`,
      'gateway.yaml',
    );
    expect(grpcPort).toBe(9000);
    expect(servers.map(({ grpc }) => grpc)).toEqual(['127.0.0.1:9001', '[::1]:9002']);
    expect(
      problemsOf(`${upstreams}grpc: { port: 9003, upstreams: { a: "127.0.0.1:9001", c: "127.0.0.1:9002" } }`),
    ).toMatchInlineSnapshot(`
      "gateway.yaml:1:45  the server "b" has no address for gRPC
        Give the port that it was started with (--grpc-port), e.g. grpc: { upstreams: { b: "127.0.0.1:9001" } }, or leave "grpc" out.
      gateway.yaml:2:55  no server is named "c"
        Did you mean "a"?"
    `);
    expect(problemsOf(`${upstreams}grpc: { upstreams: { a: "http://127.0.0.1:9001" } }`)).toMatchInlineSnapshot(`
      "gateway.yaml:1:45  the server "b" has no address for gRPC
        Give the port that it was started with (--grpc-port), e.g. grpc: { upstreams: { b: "127.0.0.1:9001" } }, or leave "grpc" out.
      gateway.yaml:2:25  "grpc.upstreams.a" is "http://127.0.0.1:9001"
        Give host and port, e.g. 127.0.0.1:9001."
    `);
  });

  test('of our example shares the digits nine to one', () => {
    const text = readFileSync(packageFile('configs/gateways/two-variants.yaml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/gateway\.schema\.json\n/);
    expect(parseGatewayFile(text, 'gateway.yaml').models).toEqual([
      {
        name: 'digits',
        targets: [
          { upstream: 'float', model: 'mnist-cnn', share: 9 },
          { upstream: 'int8', model: 'mnist-cnn', share: 1 },
        ],
      },
    ]);
  });

  test('has a JSON Schema for editors, which is current (after a change: npx vitest run test/spec -u)', async () => {
    await expect(`${JSON.stringify(gatewayJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../configs/gateway.schema.json',
    );
  });

  test('is refused with every mistake at its place', () => {
    const text = `port: 80800
upstreams:
  a: 127.0.0.1:8081
  b: http://127.0.0.1:8082/v2
models:
  digits: [{ upstream: a, share: 0 }]
  none: []
timeout: 60
bodylimit: 1GB
`;
    expect(problemsOf(text)).toMatchInlineSnapshot(`
      "gateway.yaml:1:7  "port" is 80800
        Give a port from 0 to 65535, e.g. 8080.
      gateway.yaml:3:6  "upstreams.a" is "127.0.0.1:8081"
        Give the address of an HTTP server, e.g. http://10.0.0.5:8000.
      gateway.yaml:4:6  "upstreams.b" is "http://127.0.0.1:8082/v2"
        Give the address of an HTTP server without a path, e.g. http://127.0.0.1:8081.
      gateway.yaml:6:34  "models.digits[0].share" is 0
        Give a number above 0, e.g. 9.
      gateway.yaml:7:9  "models.none" is []
        Give one or more targets, e.g. [{ upstream: a, share: 9 }, { upstream: b, share: 1 }].
      gateway.yaml:8:10  "timeout" is 60
        Give a duration with its unit (ms, s, m, h), e.g. 60s.
      gateway.yaml:9:1  unknown key "bodylimit"
        Did you mean "body_limit"?"
    `);
  });

  test('is told what one key shows and what takes several at once, as far as it can be read', () => {
    const text = `upstreams: { a: "http://127.0.0.1:8081", b: "http://127.0.0.1:8081", c: 8083 }
models:
  digits: [{ upstream: d }, { upstream: c }]
  broken: [{ upstream: a, share: 0 }]
port: 80800
`;
    const problems = problemsOf(text);
    const told = [
      'gateway.yaml:1:45  "b" has the address of "a", http://127.0.0.1:8081',
      '"upstreams.c" is 8083',
      'gateway.yaml:3:24  no server is named "d"',
      '"models.broken[0].share" is 0',
      '"port" is 80800',
    ];
    // In the order of the file.
    const at = told.map((sentence) => problems.indexOf(sentence));
    expect(at.toSorted((a, b) => a - b)).toEqual(at);
    expect(at).not.toContain(-1);
    // Its address cannot be read, but it is there; and who answers for nothing is told where every target can be read.
    expect(problems).not.toContain('no server is named "c"');
    expect(problems).not.toContain('answers for no model');
  });

  test('is refused where its servers and models do not fit together', () => {
    const text = `upstreams: { float: "http://127.0.0.1:8081", int8: "http://127.0.0.1:8082", idle: "http://127.0.0.1:8082" }
models:
  digits:
    - { upstream: float, model: mnist-cnn }
    - { upstream: float, model: mnist-cnn, share: 2 }
    - { upstream: int, model: mnist-cnn }
`;
    expect(problemsOf(text)).toMatchInlineSnapshot(`
      "gateway.yaml:1:46  the server "int8" answers for no model, so that it would get nothing
        Name it as the target of a model, or remove it.
      gateway.yaml:1:77  the server "idle" answers for no model, so that it would get nothing
        Name it as the target of a model, or remove it.
      gateway.yaml:1:83  "idle" has the address of "int8", http://127.0.0.1:8082
        List each server once; give its models different shares instead.
      gateway.yaml:5:19  "mnist-cnn" on "float" stands twice under "digits"
        Add its shares up in one target.
      gateway.yaml:6:19  no server is named "int"
        Did you mean "int8"?"
    `);
  });
});
