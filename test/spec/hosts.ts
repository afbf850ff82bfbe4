import { readFileSync } from 'node:fs';
import { packageFile } from '../../src/package-files.ts';
import type { HostFacts } from '../../src/spec/index.ts';

const modelNames = ['squeezenet1.1', 'mobilenetv2', 'resnet18', 'mnist-cnn'];

/** A Linux machine with two CPUs and 8 GB, and the models dse ships. */
export const TWO_CPUS: HostFacts = {
  onlineCpus: [0, 1],
  memoryBytes: 8e9,
  platform: 'linux',
  modelNames,
  readText: () => undefined,
  isKnownModel: (name) => modelNames.includes(name),
};

/** The same machine, on which paths start at this package. */
export const WITH_FILES: HostFacts = {
  ...TWO_CPUS,
  readText: (path) => readFileSync(packageFile(path), 'utf8'),
  isKnownModel: (name) => TWO_CPUS.isKnownModel(name) || /^mnist-(cnn|resnet|mobilenet)-[sml]$/.test(name),
};
