import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { messageOf, SpecError, UsageError } from '../errors.ts';
import { onlineCpus } from '../launch/index.ts';
import { isKnownModel, modelNames } from '../models/index.ts';
import { type ParsedSpec, parseSpec } from '../spec/index.ts';
import { readEngine } from './option-values.ts';

/**
 * Reads an experiment file and checks it against this machine.
 *
 * @throws SpecError with every problem found, each with its line and column
 */
export async function readSpec(
  file: string,
  override: { readonly engine?: string; readonly context?: string } = {},
): Promise<ParsedSpec> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new SpecError(
      {
        where: file,
        what: `the experiment file cannot be read: ${messageOf(error)}`,
        hint: 'Name an existing YAML file, e.g. configs/quickstart.yaml.',
      },
      error,
    );
  }
  const host = {
    onlineCpus: onlineCpus(),
    memoryBytes: os.totalmem(),
    isKnownModel,
    modelNames: modelNames(),
    platform: process.platform,
    readText,
  };
  const { engine, context } = override;
  const parsed = parseSpec(text, file, host, {
    ...(engine !== undefined && { engine: readEngine('--engine', engine) }),
    ...(context !== undefined && { context }),
  });
  const used = parsed.spec.server.engine;
  if (context !== undefined && used !== 'docker' && used !== 'podman') {
    throw new UsageError({
      where: '--context',
      what: `the engine ${used} has no context "${context}"`,
      hint: 'Add --engine docker or --engine podman, or leave --context out.',
    });
  }
  return parsed;
}

/** Text of a file that a spec refers to; undefined where it cannot be read, which the spec's check then tells with its place. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
