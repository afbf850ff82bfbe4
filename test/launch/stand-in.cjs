#!/usr/bin/env node
// Stands in for servers whose images are not here: mounted into a container as `tritonserver`, `ovms`, `tensorflow_model_server` or `mlserver`, it reads the flags and the
// model folder as that server's documentation says, refuses what the server would refuse, tells on standard error what it understood, and answers over HTTP.
const { existsSync, readdirSync, readFileSync, statSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { basename, dirname, join } = require('node:path');

const program = basename(process.argv[1]);
const flags = Object.fromEntries(
  process.argv.slice(2).flatMap((argument) => {
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(argument) ?? [];
    return name === undefined ? [] : [[name, value]];
  }),
);

const SERVERS = {
  tritonserver() {
    const repository = need('model-repository');
    const model = onlyModel(repository);
    const config = readFileSync(join(repository, model, 'config.pbtxt'), 'utf8');
    if (!config.includes(`name: "${model}"`)) die('the name in config.pbtxt is not that of its folder');
    if (!config.includes('backend: "onnxruntime"')) die('no backend');
    const parameters = Object.fromEntries(
      [...config.matchAll(/parameters \{ key: "(\w+)" value: \{ string_value: "(-?\d+)" \} \}/g)].map(([, k, v]) => [
        k,
        v,
      ]),
    );
    const level = /optimization \{ graph \{ level: (-?\d+) \} \}/.exec(config)?.[1];
    return {
      model,
      file: join(repository, model, '1/model.onnx'),
      host: need('http-address'),
      port: need('http-port'),
      told: { ...parameters, level },
    };
  },
  ovms() {
    const path = need('model_path');
    return {
      model: need('model_name'),
      file: join(path, '1/model.onnx'),
      host: need('rest_bind_address'),
      port: need('rest_port'),
      told: JSON.parse(need('plugin_config')),
    };
  },
  tensorflow_model_server() {
    const told = { intra: need('tensorflow_intra_op_parallelism'), inter: need('tensorflow_inter_op_parallelism') };
    const file = join(need('model_base_path'), '1/saved_model.pb');
    return { model: need('model_name'), file, host: '0.0.0.0', port: need('rest_api_port'), told };
  },
  mlserver() {
    const [command, dir] = process.argv.slice(2);
    if (command !== 'start') die(`unknown command ${command}`);
    const settings = JSON.parse(readFileSync(join(dir, 'settings.json'), 'utf8'));
    const model = onlyModel(dir);
    const { name, implementation, parameters } = JSON.parse(
      readFileSync(join(dir, model, 'model-settings.json'), 'utf8'),
    );
    const module = join(process.env.PYTHONPATH, `${implementation.split('.')[0]}.py`);
    if (!existsSync(module)) die(`no module ${module}`);
    const file = join(dir, model, parameters.uri);
    return { model: name, file, host: settings.host, port: settings.http_port, told: parameters.extra };
  },
};

function need(flag) {
  return flags[flag] ?? die(`the flag --${flag} is missing`);
}

function onlyModel(dir) {
  const models = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return models.length === 1 ? models[0].name : die(`${models.length} models in ${dir}`);
}

function die(message) {
  process.stderr.write(`${program}: ${message}\n`);
  process.exit(2);
}

function canWrite(file) {
  try {
    writeFileSync(file, '');
    return true;
  } catch {
    return false;
  }
}

const { model, file, host, port, told } = SERVERS[program]();
if (!(statSync(file).size > 0)) die(`${file} is empty`);
const canWriteModel = canWrite(join(file, '../mine'));
process.stderr.write(
  `${JSON.stringify({ program, model, file, told, beside: readdirSync(dirname(file)).sort(), canWriteModel, canWriteTmp: canWrite('/tmp/mine') })}\n`,
);

let asked = 0;
/** Loading takes a while, as with the real ones. */
const isReady = () => ++asked > 3;

const routes = {
  'GET /v2/health/ready': () => [200, {}],
  [`GET /v2/models/${model}/ready`]: () => (isReady() ? [200, {}] : [400, { error: 'not ready' }]),
  [`POST /v2/models/${model}/infer`]: (headers, body) => {
    const json = JSON.parse(body.subarray(0, Number(headers['inference-header-content-length'] ?? body.length)));
    const [{ shape, data }] = json.inputs;
    if (data !== undefined && data.flat(9).length !== shape.reduce((a, b) => a * b)) return [400, { error: 'shape' }];
    const outputs = [{ name: 'scores', datatype: 'FP32', shape: [shape[0], 10], data: Array(10 * shape[0]).fill(0.5) }];
    return [200, { model_name: model, outputs }];
  },
  [`GET /v1/models/${model}`]: () => [
    200,
    { model_version_status: [{ version: '1', state: isReady() ? 'AVAILABLE' : 'LOADING' }] },
  ],
  [`POST /v1/models/${model}:predict`]: (_headers, body) => {
    const { inputs } = JSON.parse(body);
    if (!Array.isArray(inputs?.[0]?.[0]?.[0])) return [400, { error: 'inputs are not nested as their shape' }];
    return [200, { outputs: inputs.map(() => Array(10).fill(0.5)) }];
  },
};

process.on('SIGTERM', () => process.exit(0));
createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const answer = routes[`${request.method} ${request.url}`] ?? (() => [404, { error: `no ${request.url}` }]);
    const [status, json] = answer(request.headers, Buffer.concat(parts));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  });
}).listen(Number(port), host);
