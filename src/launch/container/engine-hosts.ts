import { messageOf, type Problem } from '../../errors.ts';
import { type ContainerEngine, callEngine, type EngineHost } from './engine-cli.ts';

/** A host that an engine's command line knows by name. */
export interface NamedHost {
  readonly name: string;
  /** Where it is reached, e.g. "unix:///run/docker.sock", "ssh://me@lab". */
  readonly address: string;
}

/** Addresses that lead to this machine; also a tunnel may, which the first container then shows, whose cgroup is not here. */
const OF_THIS_MACHINE = /^(unix:\/\/|tcp:\/\/(127\.[\d.]+|localhost|\[::1\])(:|\/|$))/;

const LIST: Readonly<Record<ContainerEngine, readonly string[]>> = {
  docker: ['context', 'ls', '--format={{.Name}} {{.DockerEndpoint}}'],
  podman: ['system', 'connection', 'list', '--format={{.Name}} {{.URI}}'],
};

/** The named hosts of an engine that are this machine. */
export async function listLocalHosts(engine: ContainerEngine): Promise<readonly NamedHost[]> {
  return (await listHosts(engine).catch(() => [])).filter(({ address }) => OF_THIS_MACHINE.test(address));
}

/**
 * Why servers cannot be measured on the host of this name; undefined where they can, or where it has no name.
 *
 * Limits are read back from the kernel, CPU time is counted there, and requests go to an address of this machine: none of that reaches another.
 */
export async function findHostProblem({ engine, context }: EngineHost): Promise<Problem | undefined> {
  if (context === undefined) return undefined;
  const word = engine === 'docker' ? 'context' : 'connection';
  let hosts: readonly NamedHost[];
  try {
    hosts = await listHosts(engine);
  } catch (error) {
    return {
      what: `the ${word}s of ${engine} cannot be listed: ${messageOf(error)}`,
      hint: `Leave out "server.context" (or --context) to use the default host of ${engine}.`,
    };
  }
  const host = hosts.find(({ name }) => name === context);
  if (host === undefined) {
    const known = hosts.map(({ name }) => name).join(', ');
    return {
      what: `${engine} has no ${word} "${context}"`,
      hint: `It has ${known === '' ? 'none' : `these: ${known}`}; "${engine} ${word === 'context' ? 'context' : 'system connection'} --help" says how to add one.`,
    };
  }
  if (OF_THIS_MACHINE.test(host.address)) return undefined;
  return {
    what: `the ${word} "${context}" of ${engine} is another machine (${host.address}): there dse cannot read limits back, count CPU time, nor reach a server at 127.0.0.1`,
    hint: 'Run dse on that machine, e.g. over ssh, and carry the results folder home; or start the server there yourself and name its address in "server.url".',
  };
}

async function listHosts(engine: ContainerEngine): Promise<readonly NamedHost[]> {
  const lines = (await callEngine({ engine }, LIST[engine])).split('\n');
  return lines.flatMap((line) => {
    const [name = '', address = ''] = line.split(' ');
    // Docker marks the context in use, Podman the default, with a star.
    return name === '' ? [] : [{ name: name.replace(/\*$/, ''), address }];
  });
}
