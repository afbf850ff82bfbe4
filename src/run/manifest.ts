import { createRequire } from 'node:module';
import type { ResolvedModel } from '../models/types.ts';
import { packageVersion } from '../package-files.ts';
import type { ExperimentSpec } from '../spec/types.ts';
import type { MachineFingerprint, ManifestInput } from '../store/index.ts';

/** Packages whose version can change a measured number. */
const MEASURING_PACKAGES = ['onnxruntime-node', 'autocannon', 'fastify'] as const;

/** What a run writes down about itself before it measures. */
export function manifestOf(
  spec: ExperimentSpec,
  models: ReadonlyMap<string, ResolvedModel>,
  machine: MachineFingerprint,
): ManifestInput {
  const require = createRequire(import.meta.url);
  const versions = MEASURING_PACKAGES.map((name) => [
    name,
    (require(`${name}/package.json`) as { version: string }).version,
  ]);
  return {
    dseVersion: packageVersion(),
    experiment: spec.name,
    spec,
    versions: { node: process.version, ...Object.fromEntries(versions) },
    models: [...models.values()].map(
      ({ name, variant, digest, isSynthetic, params, macs, sizeBytes, lineage, caveats }) => ({
        name,
        variant,
        digest,
        isSynthetic,
        params,
        ...(macs === undefined ? {} : { macs }),
        sizeBytes,
        ...(lineage === undefined ? {} : { lineage }),
        ...(caveats.length === 0 ? {} : { caveats }),
      }),
    ),
    machine,
  };
}
