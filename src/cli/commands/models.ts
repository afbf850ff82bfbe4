import { catalogue, remoteModels } from '../../models/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

/** `dse models list`: what a spec may name, and which of it has synthetic weights. */
export async function listModels(options: { readonly json?: boolean }): Promise<ExitCode> {
  const entries = [
    ...Object.entries(catalogue).map(([name, { summary, isSynthetic }]) => ({
      ...{ name, summary, isSynthetic },
      isPulled: false,
    })),
    ...Object.entries(remoteModels()).map(([name, { summary }]) => ({
      ...{ name, summary, isSynthetic: false },
      isPulled: true,
    })),
  ];
  if (options.json) {
    process.stdout.write(`${JSON.stringify(entries)}\n`);
    return EXIT.ok;
  }
  const width = Math.max(...entries.map(({ name }) => name.length));
  for (const { name, summary, isSynthetic, isPulled } of entries) {
    const remark = isSynthetic ? ' (synthetic weights)' : isPulled ? ' (after `dse models pull`)' : '';
    process.stdout.write(`${name.padEnd(width)}  ${summary}${remark}\n`);
  }
  process.stdout.write('\nAny ONNX file of your own works too: give its path as the model.\n');
  return EXIT.ok;
}
