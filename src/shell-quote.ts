/** Text as one word of a POSIX shell: as it is where nothing in it means anything to the shell, else in single quotes. */
export function quoteForShell(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
