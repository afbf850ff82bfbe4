import { pullModel } from '../../models/index.ts';
import { modelCacheDir } from '../cache-dir.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

/** `dse models pull`: a model of the ONNX zoo, or of the user's catalogue, into the cache. */
export async function pull(
  name: string,
  { mirror, json }: { readonly mirror?: string; readonly json?: boolean },
): Promise<ExitCode> {
  const pulled = await pullModel(name, modelCacheDir(), mirror ?? process.env.DSE_MIRROR);
  if (json) process.stdout.write(`${JSON.stringify(pulled)}\n`);
  else
    process.stdout.write(
      `${pulled.isNew ? 'Pulled' : 'Already there:'} ${name}, ${pulled.file}, SHA-256 ${pulled.sha256}\n`,
    );
  return EXIT.ok;
}
