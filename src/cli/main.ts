import { Command, CommanderError } from 'commander';
import { DseError } from '../errors.ts';
import { packageVersion } from '../package-files.ts';
import { EXIT, type ExitCode } from './exit-code.ts';

const EXAMPLES = `
Examples:
  $ dse run configs/quickstart.yaml              a first front in under two minutes
  $ dse plan configs/full-factorial.yaml         what would run, and for how long
  $ dse analyze results/quickstart               fronts, summaries and correlations as CSV
  $ dse analyze table.csv --factors a,b --minimize latency_ms --maximize accuracy
  $ dse report results/quickstart --open         one HTML page to read and to show
  $ dse recommend results/quickstart --where 'latency_mean_ms<=20' --minimize energy_per_inference_j
  $ dse compare results/base results/new         what got worse beyond noise
  $ dse doctor                                   what this machine can measure

Exit codes: 0 done; 1 done, but trials failed or a gate was missed; 2 could not run; 130 interrupted.`;

/** Runs the command line and sets the process's exit code. Never throws for what the user can mend: that is a message on standard error and exit code 2. */
export async function main(argv: readonly string[]): Promise<void> {
  let exitCode: ExitCode = EXIT.ok;
  // A reader that has gone (`dse plan ... | head`) ends the output, not the program.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    exitCode = report(error, argv.includes('--json'));
  }
  process.exitCode = exitCode;
}

/** A command's work: the module that does it is loaded only when the command is called, so that `--help` is fast. */
type Action = (...parameters: never[]) => Promise<ExitCode>;

function createProgram(setExitCode: (code: ExitCode) => void): Command {
  const program = new Command('dse')
    .description(
      'Finds out how a neural network should be served: runs every configuration as a real server under real load.',
    )
    .version(packageVersion(), '-V, --version')
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
  const doing =
    (load: () => Promise<Action>) =>
    async (...parameters: unknown[]) => {
      const action = await load();
      setExitCode(await action(...(parameters as never[])));
    };

  program
    .command('plan')
    .summary('show what would run: factors, points, trials, order, estimated time; starts nothing')
    .description('Shows what an experiment would run, in which order and for how long. Starts nothing.')
    .argument('<spec>', 'experiment file (YAML)')
    .option('--engine <name>', 'native, docker or podman, instead of what the spec says')
    .option('--context <name>', "Docker context or Podman connection, instead of the engine's default")
    .option('--order', 'list every trial in the order it would run')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/plan.ts')).plan));

  program
    .command('run')
    .summary('run an experiment; the same command again goes on where it stopped')
    .description(
      'Runs an experiment. The same command again goes on where it stopped, and a spec that has grown runs only what is missing.\nThe first Ctrl-C ends the trial that is on and keeps everything recorded; the second quits at once.',
    )
    .argument('<spec>', 'experiment file (YAML)')
    .option('--out <dir>', 'result folder (default: results/<name of the experiment>)')
    .option('--engine <name>', 'native, docker or podman, instead of what the spec says')
    .option('--context <name>', "Docker context or Podman connection, instead of the engine's default")
    .option('--reporter <kind>', 'ink, plain or jsonl (default: ink on a terminal, plain elsewhere)')
    .option('--share-cpus', 'run although another dse measures on the same CPUs; both then disturb each other')
    .option('--strict', 'exit 1 also where a trial was measured but is invalid')
    .option('--json', 'print the outcome as JSON on standard output; progress goes to standard error')
    .action(doing(async () => (await import('./commands/run.ts')).run));

  program
    .command('analyze')
    .summary('fronts, summaries and correlations of results, or of any CSV table')
    .description(
      'Writes pareto.csv, summary.csv, correlations.csv, effects.csv and more (docs/analysis.md) of result folders, or of a plain CSV table whose columns you name.\nA repeated row of the same factors is a replicate; a context is one of the factors.',
    )
    .argument('<results...>', 'result folders, or one CSV file')
    .option('--factors <names>', 'columns of the CSV that are factors, separated by commas')
    .option('--minimize <response>', 'objective; may be given again', collect, [])
    .option('--maximize <response>', 'objective; may be given again', collect, [])
    .option('--context <factor>', 'compare fronts and responses across this factor; may be given again', collect, [])
    .option(
      '--where <constraint>',
      "keep only what satisfies it, e.g. 'latency_p99_ms<=50' or 'accuracy_top1.loss<=1%'; may be given again",
      collect,
      [],
    )
    .option('--allow-mixed-energy', 'let estimated and measured energy share a front')
    .option('--out <dir>', 'where to write (default: <results>/analysis)')
    .option('--format <kind>', 'how to print: text, markdown or latex', 'text')
    .option('--table <name>', 'print this table instead of the front, e.g. effects or transfer')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/analyze.ts')).analyze));

  program
    .command('report')
    .summary('one HTML page on results, its figures, and a notebook')
    .description(
      'Writes one self-contained HTML page on result folders, or on a plain CSV table whose columns you name; beside it the tables of the analysis, every figure as SVG and PNG, and a notebook.\nSeveral folders are analysed each by itself and shown side by side.',
    )
    .argument('<results...>', 'result folders, or one CSV file')
    .option('--factors <names>', 'columns of the CSV that are factors, separated by commas')
    .option('--minimize <response>', 'objective; may be given again', collect, [])
    .option('--maximize <response>', 'objective; may be given again', collect, [])
    .option('--context <factor>', 'compare fronts and responses across this factor; may be given again', collect, [])
    .option(
      '--where <constraint>',
      "keep only what satisfies it, e.g. 'latency_p99_ms<=50' or 'accuracy_top1.loss<=1%'; may be given again",
      collect,
      [],
    )
    .option('--out <place>', 'folder to write to, or the page itself if it ends in .html (default: <results>/analysis)')
    .option('--no-figures', 'write no figures as files')
    .option('--open', 'open the page in the browser')
    .action(doing(async () => (await import('./commands/report.ts')).report));

  program
    .command('recommend')
    .summary('one configuration for one objective under constraints, how sure that is, and how to deploy it')
    .description(
      'Names the configuration with the best mean of one objective among those that meet every constraint: how sure that is, what it costs to be safer, and the spec and command that deploy it.\nExit code 1 where no configuration meets the constraints.',
    )
    .argument('<results...>', 'result folders, or one CSV file')
    .option(
      '--where <constraint>',
      "what it must meet, e.g. 'latency_p99_ms<=50' or 'accuracy_top1.loss<=1%'; may be given again",
      collect,
      [],
    )
    .option(
      '--at <factor=level>',
      'choose only there, e.g. load=high; may be given again (default: for each load)',
      collect,
      [],
    )
    .option('--minimize <response>', 'the objective; less is better', collect, [])
    .option('--maximize <response>', 'the objective; more is better', collect, [])
    .option('--factors <names>', 'columns of the CSV that are factors, separated by commas')
    .option('--allow-mixed-energy', 'let estimated and measured energy be compared')
    .option('--format <kind>', 'how to print: text, markdown or latex', 'text')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/recommend.ts')).recommend));

  program
    .command('compare')
    .summary('what changed between two runs, or two configurations; exit 1 where a response got worse beyond noise')
    .description(
      "Compares a run with an earlier one, response by response over the configurations that both have.\nEach side is a result folder or a CSV table; add ?factor=level to take only those rows, e.g. 'results/a?threads=1'.",
    )
    .argument('<base>', 'what to compare with')
    .argument('<new>', 'what may have got better or worse')
    .option('--factors <names>', 'columns of CSV tables that are factors, separated by commas')
    .option('--minimize <response>', 'compare it, less is better; may be given again', collect, [])
    .option('--maximize <response>', 'compare it, more is better; may be given again', collect, [])
    .option(
      '--threshold <response=margin>',
      'smallest change that matters: a share, e.g. latency_p99_ms=10%, or an amount, e.g. accuracy_top1=0.01; may be given again (default: 5 %)',
      collect,
      [],
    )
    .option('--markdown <file>', 'also write a summary for a pull request')
    .option('--format <kind>', 'how to print: text, markdown or latex', 'text')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/compare.ts')).compare));

  program
    .command('serve')
    .summary('the inference server alone')
    .description(
      'Serves models over the KServe V2 protocol until it is stopped.\nA repository folder holds {name}/{version}/model.onnx or {name}.onnx; what is put there later can be loaded while serving.',
    )
    .argument(
      '<models...>',
      'names of models, ONNX files, either as NAME=MODEL to choose its name, or a repository folder',
    )
    .option('--variant <name>', 'a variant of the models named, e.g. int8-static', 'fp32')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 lets the system choose', '8080')
    .option('--grpc-port <number>', 'port to listen on for gRPC; 0 lets the system choose (default: REST only)')
    .option('--threads <number>', 'threads of the runtime inside an operator', '1')
    .option('--inter-op-threads <number>', 'threads of the runtime across operators', '1')
    .option('--execution-mode <mode>', 'sequential or parallel', 'sequential')
    .option('--graph-optimization <level>', 'disabled, basic, extended or all', 'all')
    .option('--spinning', 'let idle runtime threads spin')
    .option('--instances <number>', 'sessions of the runtime for each model', '1')
    .option('--max-batch <items>', 'run waiting requests together, up to this many items')
    .option('--max-queue-delay <time>', 'with --max-batch: longest wait for others, e.g. 2ms; none where left out')
    .option('--preferred-batches <items...>', 'numbers of items that are run without waiting for more', [])
    .option('--max-queue <number>', 'requests that may wait for a model; more are answered with 429', '1000')
    .option('--cache <entries>', 'remember this many answers of each model, and give them again to the same inputs')
    .option('--deadline <time>', 'answer 504 to what was not started on by then, e.g. 50ms; none where left out')
    .option('--body-limit <size>', 'larger request bodies are answered with 413', '256MB')
    .option('--max-loaded <number>', 'models loaded at a time; the one used longest ago makes room')
    .action(doing(async () => (await import('./commands/serve.ts')).serve));

  program
    .command('gateway')
    .summary('one address in front of many servers')
    .description(
      'Passes requests on to servers that speak KServe V2, by model and by share, until it is stopped; see docs/gateway.md.\nWith neither a file nor --model, every model the servers list is served.',
    )
    .argument('[config]', 'description of the gateway (YAML), e.g. configs/gateways/two-variants.yaml')
    .option(
      '--upstream <name=url>',
      'a server, e.g. a=http://127.0.0.1:8081, or with gRPC a=http://127.0.0.1:8081,grpc://127.0.0.1:9001; may be given again',
      collect,
      [],
    )
    .option(
      '--model <name=targets>',
      'a model and who answers for it, with shares, e.g. digits=a/mnist-cnn:9,b/mnist-cnn:1; may be given again',
      collect,
      [],
    )
    .option('--host <address>', "address to listen on (default: the file's, or 127.0.0.1)")
    .option('--port <number>', "port to listen on; 0 lets the system choose (default: the file's, or 8080)")
    .option('--grpc-port <number>', 'pass calls over gRPC on, too, at this port')
    .option('--seed <number>', "seed of the choice between servers (default: the file's, or 1)")
    .action(doing(async () => (await import('./commands/gateway.ts')).gateway));

  program
    .command('load')
    .summary('the load generator alone, against any HTTP address or inference server')
    .description(
      'Sends load to one address and tells latency from the intended send time.\nOpen loop: --rate with Poisson or constant arrivals. Closed loop: --concurrency.\nWith --model, seeded random inputs to a model of a KServe V2 server, over REST or gRPC (grpc://host:port).',
    )
    .argument('<url>', 'address to send to')
    .option('--rate <rps>', 'open loop: requests per second')
    .option('--arrivals <kind>', 'poisson or constant', 'poisson')
    .option('--concurrency <n>', 'closed loop: clients that send when answered')
    .requiredOption('--duration <time>', 'how long, e.g. 20s')
    .option('--model <name>', 'inference requests to this model, as the server describes it')
    .option(
      '--protocol <name>',
      'rest-binary, rest-json, image or grpc, with --model (default: rest-binary, or what the address says)',
    )
    .option('--batch <n>', 'items in a request, with --model (default: 1)')
    .option('--dim <name=size>', 'size of another open dimension, with --model; may be given again', collect, [])
    .option('--method <method>', 'HTTP method (default: GET)')
    .option('--body <file>', 'file to send as the body')
    .option('--header <K:V>', 'header to send; may be given again', collect, [])
    .option('--timeout <time>', 'a request without an answer by then counts as this long', '10s')
    .option('--connections <n>', 'open loop: requests that may be in flight at once', '64')
    .option('--slo <time>', 'latency within which an answer counts as goodput')
    .option('--seed <n>', 'seed of the arrivals and of random inputs', '1')
    .option('--json', 'machine-readable output: the columns of trials.csv by name')
    .action(doing(async () => (await import('./commands/load.ts')).load));

  const models = program
    .command('models')
    .summary('list, inspect, quantize, convert, prune and evaluate models')
    .description('What dse knows of models, and what it can make of them.');
  models
    .command('list', { isDefault: true })
    .description('every model by name, with parameters and multiply-adds')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/models.ts')).listModels));
  models
    .command('pull')
    .description('download a model of the ONNX zoo, or of your own catalogue, into the cache')
    .argument('<model>', 'name of a model, as `dse models list` has it')
    .option('--mirror <address>', "take this server in the place of the address's own (default: $DSE_MIRROR)")
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/models-pull.ts')).pull));
  models
    .command('inspect')
    .description('inputs, outputs, parameters, multiply-adds by layer, memory, lineage')
    .argument('<model>', 'name of a model, or an ONNX file')
    .option('--variant <name>', 'a variant of it, e.g. int8-static', 'fp32')
    .option('--layers', 'list every node')
    .option('--optimized', 'also what onnxruntime makes of it on this machine, and what stays in float')
    .option('--dim <name=size>', 'size of an open dimension besides the batch; may be given again', collect, [])
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/models-inspect.ts')).inspect));
  models
    .command('quantize')
    .description('write the model on 8-bit integers')
    .argument('<model>', 'name of a model, or an ONNX file')
    .requiredOption('--out <file>', 'ONNX file to write')
    .option('--method <kind>', 'static (ranges from samples) or dynamic (ranges found while running)', 'static')
    .option('--range <kind>', 'static: minmax, percentile or entropy', 'minmax')
    .option('--calibration <file>', "static: samples, IDX or NPY (default: the model's own, else random numbers)")
    .option('--scale <number>', 'the tensor fed is value * scale + offset', '1')
    .option('--offset <number>', 'see --scale', '0')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/models-variants.ts')).quantize));
  models
    .command('convert')
    .description('write the model in another number format')
    .argument('<model>', 'name of a model, or an ONNX file')
    .requiredOption('--out <file>', 'ONNX file to write')
    .option('--fp16', 'float16 inside, float32 in and out')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/models-variants.ts')).convert));
  models
    .command('prune')
    .description('write the model with fewer filters, or with weights set to zero')
    .argument('<model>', 'name of a model, or an ONNX file')
    .requiredOption('--out <file>', 'ONNX file to write')
    .option('--percent <number>', 'how much goes, 1 to 99')
    .option('--macs <number>', 'instead of --percent: percent of the multiply-adds to keep, at most')
    .option(
      '--by <criterion>',
      'activation: filters go whose loss the layers behind them can best make up for on samples; norm: those with the smallest weights, as many of each layer, as where there are no samples',
      'activation',
    )
    .option('--weights', 'set single weights to zero instead of removing filters; nothing gets faster by it')
    .option('--calibration <file>', "samples to choose and refit with, IDX or NPY (default: the model's own)")
    .option('--scale <number>', 'the tensor fed is value * scale + offset', '1')
    .option('--offset <number>', 'see --scale', '0')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/models-variants.ts')).prune));
  models
    .command('eval')
    .description('accuracy on labelled samples: top-1, top-5, by class, calibration error, against the base')
    .argument('<model>', 'name of a model, or an ONNX file')
    .option('--variant <name>', 'a variant of it, e.g. int8-static', 'fp32')
    .option('--base <model>', 'compare with this model (default: what the variant was made from)')
    .option(
      '--data <path>',
      "samples: IDX, NPY, CSV with a column label, or a folder of images with a subfolder for each class (default: the model's own)",
    )
    .option('--labels <file>', 'labels of IDX or NPY samples')
    .option('--scale <number>', 'the tensor fed is value * scale + offset')
    .option('--offset <number>', 'see --scale')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/models-eval.ts')).evaluate));

  program
    .command('image')
    .summary('build the image that servers in containers start from')
    .description('The image that servers in containers start from. `dse run` builds it too, where it is missing.')
    .command('build')
    .description(
      "Builds the server image from dse's Dockerfile, named after the hash of what is in it. Where it is there already, nothing is done.",
    )
    .option('--engine <name>', 'docker or podman', 'docker')
    .option('--context <name>', "Docker context or Podman connection, instead of the engine's default")
    .option(
      '--base <image>',
      'image to build on, with Node 20.19 or newer (default: $DSE_BASE_IMAGE, or that of the Dockerfile)',
    )
    .option('--force', 'build it even where it is there already')
    .option('--json', 'machine-readable output; progress goes to standard error')
    .action(doing(async () => (await import('./commands/image.ts')).buildImage));

  program
    .command('doctor')
    .summary('what this machine can measure, and the exact fix for what it cannot')
    .description('Tells what this machine can measure and limit, and the exact fix for what it cannot.')
    .option('--out <dir>', 'also keep the measured ceiling of the load generator in this result folder')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/doctor.ts')).doctor));

  program
    .command('clean')
    .summary('remove processes and cgroups that a killed run left behind')
    .description('Removes what killed runs left behind. Runs that are still going on are not touched.')
    .option('--dry-run', 'only list it')
    .option('--images', 'also server images of earlier builds of dse that no container needs')
    .option('--json', 'machine-readable output')
    .action(doing(async () => (await import('./commands/clean.ts')).clean));
  return program;
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

/** Says what went wrong and gives the exit code for it. */
function report(error: unknown, isJson: boolean): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.couldNotRun;
  if (!(error instanceof DseError)) throw error;
  if (isJson) process.stdout.write(`${JSON.stringify({ error: { code: error.code, problems: error.problems } })}\n`);
  else process.stderr.write(`${error.message}\n`);
  return EXIT.couldNotRun;
}
