import type { GroupFiles } from '../group.ts';

const POLL_MS = 20;

/** Remembers whether the kernel killed something for want of memory in a cgroup that is gone when its container ends. */
export interface OutOfMemoryWatch {
  wasKilled(): boolean;
  stop(): void;
}

/**
 * Watches a container's count of out-of-memory kills until it is stopped.
 *
 * Engines say themselves whether a container was killed so, but Podman 4.3 on cgroup v1 was seen to miss it. The count is read every 20 ms, which takes microseconds, and an engine takes
 * longer than that to remove the cgroup of a container that ended.
 */
export function watchOutOfMemory(files: GroupFiles): OutOfMemoryWatch {
  let wasKilled = false;
  const look = () => {
    wasKilled ||= (files.readOomKills() ?? 0) > 0;
  };
  const timer = setInterval(look, POLL_MS);
  timer.unref();
  return {
    wasKilled() {
      look();
      return wasKilled;
    },
    stop: () => clearInterval(timer),
  };
}
