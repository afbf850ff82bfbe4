import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderProblems, SpecError } from '../../src/errors.ts';
import { packageFile } from '../../src/package-files.ts';
import { type HostFacts, parseServerFile, parseSpec, serverJsonSchema } from '../../src/spec/index.ts';
import { TWO_CPUS, WITH_FILES } from './hosts.ts';

const SERVER = `name: mine
image: mine:1
command: [serve, "--port={http_port}", "--threads={threads}"]
ports: { http: 8000 }
models: { at: /models, files: [{ path: "{model}.onnx", from: onnx }] }
ready: { path: /ready }
protocols: [rest-json]
factors: { threads: {} }
`;

function problemsOf(text: string): string {
  return renderProblems(parseServerFile(text, 'mine.yaml').problems);
}

describe('the description of a server', () => {
  test.each(readdirSync(packageFile('configs/servers')))('%s is sound, and named like its file', (name) => {
    const text = readFileSync(packageFile(`configs/servers/${name}`), 'utf8');
    const { description, problems } = parseServerFile(text, name);
    expect(problems).toEqual([]);
    expect(`${description?.name}.yaml`).toBe(name);
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/server\.schema\.json\n/);
  });

  test('has a JSON Schema for editors, which is current (after a change: npx vitest run test/spec -u)', async () => {
    await expect(`${JSON.stringify(serverJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../../configs/server.schema.json',
    );
  });

  test('is refused with every mistake at its place', () => {
    const text = SERVER.replace('8000', '80000').replace('ready:', 'readiness:').replace('/models,', 'models,');
    expect(problemsOf(text)).toMatchInlineSnapshot(`
      "mine.yaml:4:16  "ports.http" is 80000
        Give a port from 1 to 65535, e.g. 8000.
      mine.yaml:5:15  "models.at" is "models"
        Give an absolute path inside the container, e.g. /models.
      mine.yaml:1:1  "ready" is missing
        Give a path, e.g. { path: /v2/health/ready }.
      mine.yaml:6:1  unknown key "readiness"
        Known keys: name, image, command, env, ports, user, writable, models, ready, api, protocols, factors."
    `);
  });

  test('may hold only placeholders that stand for something, and factors that change something', () => {
    const text = SERVER.replace('{http_port}', '{grpc_port}').replace('{threads}', 'all');
    expect(problemsOf(text)).toMatchInlineSnapshot(`
      "mine.yaml:3:18  the placeholder "{grpc_port}" stands for nothing
        Known placeholders: model, host, http_port, threads.
      mine.yaml:8:12  factor "threads" is declared, but "{threads}" stands nowhere, so that it would change nothing
        Put the placeholder into the command, a variable or a text, or remove the factor."
    `);
  });

  test('leaves braces of JSON and of protobuf text alone', () => {
    const file = `{ path: settings, text: '{"a": {"b": 1}} c { d: 1 }' }`;
    expect(problemsOf(SERVER.replace('from: onnx }', `from: onnx }, ${file}`))).toBe('');
  });

  test('names factors, levels and protocols that there are', () => {
    const text = SERVER.replace('threads: {}', 'threads: { values: { two: 2 } }, batch: {}, treads: {}').replace(
      'rest-json',
      'rest-jason',
    );
    expect(problemsOf(text)).toMatchInlineSnapshot(`
      "mine.yaml:7:13  unknown protocol "rest-jason"
        Did you mean "rest-json"?
      mine.yaml:8:33  "two" is no level of factor "threads"
        Write levels as an experiment does, e.g. 1, 2.
      mine.yaml:8:45  factor "batch" is not applied by a server
        Leave it out: it is there for every server.
      mine.yaml:8:56  unknown factor "treads"
        Did you mean "threads"?"
    `);
  });

  test('has the model itself among its files, and a port for requests', () => {
    const text = SERVER.replace('from: onnx', 'text: hello').replace('http: 8000', 'rest: 8000');
    expect(problemsOf(text)).toContain('no file is the model itself');
    expect(problemsOf(text)).toContain('no port is named "http"');
    expect(problemsOf(SERVER.replace(', from: onnx', ''))).toContain('has neither "from" nor "text"');
  });
});

describe('an experiment on another server', () => {
  const host: HostFacts = { ...WITH_FILES, readText: (path) => (path === 'specs/mine.yaml' ? SERVER : undefined) };
  const parse = (server: string, factors: string, on = host) =>
    parseSpec(`name: e\nserver: ${server}\nfactors:\n  model: [mnist-cnn, resnet18]\n${factors}`, 'specs/e.yaml', on)
      .spec;
  const refusal = (server: string, factors: string): string => {
    try {
      parse(server, factors);
    } catch (error) {
      if (error instanceof SpecError) return error.message;
    }
    throw new Error('not refused');
  };

  test('gets defaults of the factors it declares and of no others, and the first protocol it speaks', () => {
    const { fixed, server } = parse('{ engine: docker, description: mine.yaml }', '  cpus: [0.5, 1]\n');
    expect(server.description?.name).toBe('mine');
    expect(Object.keys(fixed).sort()).toEqual(['batch', 'colocated', 'load', 'protocol', 'threads', 'variant']);
    expect(fixed.protocol).toEqual({ name: 'rest-json', value: 'rest-json' });
  });

  test('is refused a factor, a level or a protocol that is not declared, with what can be applied', () => {
    const text = refusal(
      '{ engine: docker, description: mine.yaml }',
      '  spinning: [true, false]\n  protocol: [rest-json, rest-binary]\n',
    );
    expect(text).toMatchInlineSnapshot(`
      "specs/e.yaml:5:3  factor "spinning" cannot be applied: the server "mine" does not declare it
        What can be applied here: model, variant, batch, sequence_length, protocol, popularity, threads, cpus, cpuset, memory, cpu_frequency, gateway, load. Remove it, or declare it under "factors" of mine.yaml where the server has such a setting.
      specs/e.yaml:6:25  protocol "rest-binary" cannot be applied: the server "mine" has no such setting
        It can apply protocol rest-json."
    `);
  });

  test('needs an engine that runs containers', () => {
    expect(refusal('{ description: mine.yaml }', '')).toBe(
      'specs/e.yaml:2:11  the server "mine" runs from an image, and the engine native runs none\n  Set engine: docker or engine: podman, here or with --engine.',
    );
  });

  test('whose file is not there, or has a mistake, is told where', () => {
    expect(refusal('{ engine: docker, description: none.yaml }', '')).toContain(
      'specs/e.yaml:2:40  the description of the server cannot be read from specs/none.yaml',
    );
    const broken = { ...host, readText: () => SERVER.replace('8000', 'x') };
    expect(() => parse('{ engine: docker, description: mine.yaml }', '', broken)).toThrow(
      'specs/mine.yaml:4:16  "ports.http" is "x"',
    );
  });

  test('that already runs is asked for nothing but what is sent', () => {
    const { server, fixed } = parse('{ url: "http://127.0.0.1:8000/" }', '  batch: [1, 4]\n', TWO_CPUS);
    expect(server).toMatchObject({ engine: 'external', url: 'http://127.0.0.1:8000' });
    expect(fixed.threads).toBeUndefined();
    expect(
      refusal('{ url: "http://h:1", cpuset: "0", engine: docker }', '  threads: [1, 2]\n  cpus: [0.5, 1]\n'),
    ).toMatchInlineSnapshot(`
      "specs/e.yaml:2:11  a server that already runs ("server.url") is not started with the engine docker
        Leave out the engine (--engine, "server.engine"), or leave out "server.url" to have a server started.
      specs/e.yaml:2:30  "server.cpuset" cannot be applied to a server that already runs
        Remove it.
      specs/e.yaml:5:3  factor "threads" cannot be applied to a server that already runs
        What can be applied here: model, batch, sequence_length, protocol, popularity, load. Remove it.
      specs/e.yaml:6:3  factor "cpus" cannot be applied to a server that already runs
        What can be applied here: model, batch, sequence_length, protocol, popularity, load. Remove it."
    `);
  });
});
