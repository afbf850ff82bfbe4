import { execa } from 'execa';
import { messageOf, UsageError } from '../errors.ts';

/** How each platform opens a file with the program that it is set to open with. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
};

/** Opens a file in the browser. @throws UsageError where this machine has nothing to open it with */
export async function openInBrowser(file: string): Promise<void> {
  const [command = 'xdg-open', ...args] = OPENERS[process.platform] ?? [];
  try {
    await execa(command, [...args, file], { timeout: 10_000 });
  } catch (error) {
    throw new UsageError(
      {
        where: file,
        what: `the report is written but cannot be opened with ${command}: ${messageOf(error).split('\n')[0]}`,
        hint: 'Open the file in a browser yourself, or copy it to a machine that has one.',
      },
      error,
    );
  }
}
