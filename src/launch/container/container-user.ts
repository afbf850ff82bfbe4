import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LaunchError } from '../../errors.ts';

/**
 * Who the server is inside its container: the user who runs dse, so that it may read what that user may; for root, whoever the image says, so that it is not root inside.
 */
export function userInside(): string | undefined {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return uid === undefined || gid === undefined || uid === 0 ? undefined : `${uid}:${gid}`;
}

/**
 * @param user - as from `userInside`; undefined stands for some user who owns nothing here
 * @throws LaunchError where that user could not read the model through its mount
 */
export function assertReadable(modelFile: string, user: string | undefined): void {
  if (modelFile === '' || user !== undefined) return;
  const isOpen = (path: string, bit: number) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & bit) !== 0;
  if (isOpen(modelFile, 0o004) && isOpen(dirname(modelFile), 0o001)) return;
  throw new LaunchError({
    where: modelFile,
    what: 'a server in a container is not root inside and may not read this model',
    hint: `Let others read it: chmod o+r ${modelFile} && chmod o+x ${dirname(modelFile)}`,
  });
}
