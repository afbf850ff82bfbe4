import { metadataKeys } from '../metadata.ts';
import { createMessage, type ModelProto } from '../onnx-schema.ts';
import type { Lineage, LineageStep } from '../types.ts';

/** The lineage a file's metadata tells; undefined where it has none, or one that is not readable. */
export function readLineage({ metadataProps }: ModelProto): Lineage | undefined {
  const text = metadataProps.find(({ key }) => key === metadataKeys.lineage)?.value;
  if (text === undefined) return undefined;
  try {
    const { base, steps } = JSON.parse(text) as Lineage;
    const isReadable = typeof base === 'string' && Array.isArray(steps) && steps.every(({ step }) => Boolean(step));
    return isReadable ? { base, steps } : undefined;
  } catch {
    return undefined;
  }
}

/** Adds steps to a model's lineage; a model without one starts at `digest`, its own file's. Changes the model in place. */
export function addLineage(model: ModelProto, digest: string, steps: readonly LineageStep[]): void {
  const before = readLineage(model) ?? { base: digest, steps: [] };
  const lineage: Lineage = { base: before.base, steps: [...before.steps, ...steps] };
  model.metadataProps = [
    ...model.metadataProps.filter(({ key }) => key !== metadataKeys.lineage),
    createMessage('StringStringEntryProto', { key: metadataKeys.lineage, value: JSON.stringify(lineage) }),
  ];
}

/** What a user must know before trusting such a model's answers or speed, a sentence each; empty where there is nothing. @param fusedOutput - see `../fused-outputs.ts` */
export function caveatsOf(
  lineage: Lineage | undefined,
  isSynthetic: boolean,
  fusedOutput: string | undefined,
): string[] {
  const steps = lineage?.steps ?? [];
  const caveats: string[] = [];
  if (!isSynthetic && steps.some((step) => step.calibration_random === true)) {
    caveats.push('calibrated on random numbers: true in cost, not in answers');
  }
  if (!isSynthetic && steps.some(({ step, refitted }) => step === 'pruned' && refitted === 0)) {
    caveats.push('pruned without real samples to refit with: true in cost, not in answers');
  }
  if (steps.some(({ step }) => step === 'fp16')) {
    caveats.push('float16 halves the file; on x86 processors onnxruntime computes it in float32, no faster');
  }
  if (steps.some(({ step }) => step === 'sparse')) {
    caveats.push("zeroed weights cost as much as others in onnxruntime's CPU kernels: no smaller, no faster");
  }
  if (steps.some(({ stored = 0 }) => Number(stored) > 0)) {
    caveats.push(
      'the weights of its recurrent layers, or tables that rows are looked up in, are int8 in the file and float32 in the arithmetic: smaller, no faster',
    );
  }
  if (fusedOutput !== undefined) {
    caveats.push(
      `its output "${fusedOutput}" is added to another value inside: onnxruntime's fusion of convolutions with additions, which would lose it and end the process, is off`,
    );
  }
  return caveats;
}
