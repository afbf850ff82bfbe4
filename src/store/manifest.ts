import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { StoreError } from '../errors.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import { codeOf, fileError, replaceFile } from './file-system.ts';
import { FILES } from './files.ts';
import { MEASUREMENT_VERSION } from './trial-key.ts';
import type { Manifest, ManifestInput } from './types.ts';

/** Version of `manifest.json`. Raised when an older dse could misread it. */
const MANIFEST_FORMAT = 1;

const machine = z.object({
  host: z.string(),
  facts: z.record(
    z.string(),
    z.object({ value: z.union([z.string(), z.number(), z.boolean(), z.null()]), why: z.string() }),
  ),
});

const levels = z.record(z.string(), z.object({ name: z.string() }));

/** What later steps read of the spec is checked; the rest is for people and is kept as it is. */
const specShape = z.object({
  name: z.string(),
  design: z.object({ seed: z.number() }),
  factors: z.record(z.string(), z.array(z.object({ name: z.string() }))),
  fixed: levels,
  objectives: z.array(z.object({ response: z.string(), direction: z.enum(['minimize', 'maximize']) })),
  contexts: z.array(z.string()),
});

const manifestSchema = z.object({
  formatVersion: z.literal(MANIFEST_FORMAT),
  measurementVersion: z.int(),
  dseVersion: z.string(),
  experiment: z.string(),
  spec: z.custom<ExperimentSpec>((value) => specShape.safeParse(value).success, 'is not a resolved spec'),
  versions: z.record(z.string(), z.string()),
  models: z.array(
    z.object({
      name: z.string(),
      variant: z.string(),
      digest: z.string(),
      isSynthetic: z.boolean(),
      params: z.number(),
      macs: z.number().exactOptional(),
      sizeBytes: z.number(),
      lineage: z
        .object({
          base: z.string(),
          steps: z.array(z.object({ step: z.string() }).catchall(z.union([z.string(), z.number(), z.boolean()]))),
        })
        .exactOptional(),
      caveats: z.array(z.string()).exactOptional(),
    }),
  ),
  machine,
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  machines: z.array(machine),
}) satisfies z.ZodType<Manifest>;

/** @returns undefined where the folder has none. @throws StoreError where it is not a manifest this dse can read */
export async function readManifest(outDir: string): Promise<Manifest | undefined> {
  const path = join(outDir, FILES.manifest);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  const content = parseJson(text);
  const version = z.object({ formatVersion: z.int() }).safeParse(content);
  if (version.success && version.data.formatVersion !== MANIFEST_FORMAT) {
    throw new StoreError({
      where: path,
      what: `this folder has format ${version.data.formatVersion}, and this dse reads format ${MANIFEST_FORMAT}`,
      hint: 'Use the version of dse that wrote it, or choose another folder with --out DIR.',
    });
  }
  const manifest = manifestSchema.safeParse(content);
  if (!manifest.success) {
    const issue = manifest.error.issues[0];
    throw new StoreError({
      where: path,
      what: `this is not a manifest of dse${issue === undefined ? '' : ` (${issue.path.join('.') || 'content'}: ${issue.message})`}`,
      hint: `If it is not a result folder, choose another with --out DIR. If it is one, put back the newest file of ${FILES.manifestHistory}/.`,
    });
  }
  return manifest.data;
}

/**
 * Writes what this run says about itself. An earlier manifest that said something else is kept under `manifests/`.
 * @returns the manifest as the folder now holds it
 */
export async function updateManifest(
  outDir: string,
  previous: Manifest | undefined,
  input: ManifestInput,
  now: Date,
): Promise<Manifest> {
  const next = merge(previous, input, now.toISOString());
  if (previous !== undefined) {
    if (contentHash({ ...next, updatedAt: '' }) === contentHash({ ...previous, updatedAt: '' })) return previous;
    await keepInHistory(outDir, previous);
  }
  await replaceFile(join(outDir, FILES.manifest), render(next));
  return next;
}

function merge(previous: Manifest | undefined, input: ManifestInput, now: string): Manifest {
  const known = previous?.machines ?? [];
  const isKnown = known.some((machine) => contentHash(machine) === contentHash(input.machine));
  return {
    formatVersion: MANIFEST_FORMAT,
    measurementVersion: MEASUREMENT_VERSION,
    dseVersion: input.dseVersion,
    experiment: input.experiment,
    createdAt: previous?.createdAt ?? now,
    updatedAt: now,
    versions: input.versions,
    machine: input.machine,
    machines: isKnown ? known : [...known, input.machine],
    models: input.models,
    spec: input.spec,
  };
}

async function keepInHistory(outDir: string, manifest: Manifest): Promise<void> {
  const folder = join(outDir, FILES.manifestHistory);
  try {
    await mkdir(folder, { recursive: true });
    const number = (await readdir(folder)).filter((name) => name.endsWith('.json')).length + 1;
    await replaceFile(join(folder, `manifest-${String(number).padStart(4, '0')}.json`), render(manifest));
  } catch (error) {
    throw error instanceof StoreError ? error : fileError(folder, 'keep the earlier manifest', error);
  }
}

function render(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError(path, 'read this file', error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
