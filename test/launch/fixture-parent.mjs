// A dse in miniature that is meant to be killed: starts one fixture server as told and prints where it is.
// Arguments: the compiled launch/index.js, the JSON of a LaunchRequest without its run label, the command of the server as JSON.
const [, , launchModule, request, command] = process.argv;
const { createNativeLauncher, createRunLabel } = await import(launchModule);

const launcher = createNativeLauncher({ command: (settings) => [...JSON.parse(command), JSON.stringify(settings)] });
const runLabel = createRunLabel();
const server = await launcher.start({ ...JSON.parse(request), runLabel }, new AbortController().signal);
process.stdout.write(`${JSON.stringify({ runLabel, pid: server.pid, url: server.url })}\n`);
setInterval(() => {}, 1_000);
