import { SpecError } from '../errors.ts';
import { CHECKS } from './checks.ts';
import { inReadingOrder } from './positions.ts';
import { readYaml } from './read-yaml.ts';
import { resolveSpec } from './resolve.ts';
import { parseWritten } from './schema-problems.ts';
import { readServerFile } from './server-file.ts';
import { createTraceReader } from './traces.ts';
import type { EngineName, HostFacts, ParsedSpec } from './types.ts';

const EMPTY = 'Describe an experiment in it, or start from a copy of configs/quickstart.yaml.';

/**
 * The experiment a YAML text describes, checked against itself and against the machine that would run it.
 *
 * Reads no files but those the spec names, through `host`, and no clock.
 * @param file - the file as the user named it; used in messages and kept as `spec.file`
 * @param overrides - settings of the command line that stand in for those of the file before anything is checked
 * @throws SpecError with every problem that was found, each with its line and column
 */
export function parseSpec(
  text: string,
  file: string,
  host: HostFacts,
  { engine, context }: { readonly engine?: EngineName; readonly context?: string } = {},
): ParsedSpec {
  const { data: yaml, positions } = readYaml(text, file, EMPTY);
  const { written, data, problems, isRefused } = parseWritten(yaml, positions);
  const readTrace = createTraceReader(file, host);
  const other = readServerFile(written.server.description, file, host, positions);
  const resolved = resolveSpec(written, data, file, readTrace, other.description);
  const server = {
    ...resolved.server,
    ...(engine !== undefined && { engine }),
    ...(context !== undefined && { container: { ...resolved.server.container, context } }),
  };
  const spec = { ...resolved, server };
  const input = { spec, written, host, positions, isRefused, readTrace };
  const found = [...problems, ...CHECKS.flatMap((check) => check(input))];
  const all = [...inReadingOrder(found), ...other.problems];
  if (all.length > 0) throw new SpecError(all);
  return { spec: deepFreeze(spec), locate: positions.ofValue };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
  return value;
}
