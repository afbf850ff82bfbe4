// A dse in miniature that is meant to be killed: starts one fixture server as told and prints where it is.
// Arguments: the compiled launch/index.js, the engine, and as JSON: a LaunchRequest without its run label, the command of the server, more options of the launcher.
const [, , launchModule, engine, request, command, options] = process.argv;
const { createContainerLauncher, createNativeLauncher, createRunLabel } = await import(launchModule);

const launcherOptions = {
  ...JSON.parse(options),
  command: (settings) => [...JSON.parse(command), JSON.stringify(settings)],
};
const launcher =
  engine === 'native' ? createNativeLauncher(launcherOptions) : createContainerLauncher(engine, launcherOptions);
const runLabel = createRunLabel();
const server = await launcher.start({ ...JSON.parse(request), runLabel }, new AbortController().signal);
process.stdout.write(`${JSON.stringify({ runLabel, pid: server.pid, url: server.url })}\n`);
setInterval(() => {}, 1_000);
