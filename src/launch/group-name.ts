let made = 0;

/** A name for a cgroup or scope that no other of this process, and by its label none of another run, has: `dse-<label>-<n>`. */
export function nextGroupName(runLabel: string): string {
  made += 1;
  return `dse-${runLabel}-${made}`;
}
