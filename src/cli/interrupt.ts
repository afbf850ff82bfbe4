import { monotonicNs, NS_PER_MS } from '../units.ts';
import { EXIT } from './exit-code.ts';

/** Nobody presses Ctrl-C twice this fast: what passes signals on (npm, timeout) sends one to the process and to its group. */
const SAME_SIGNAL_MS = 300;

/**
 * A signal that is aborted by the first Ctrl-C (or SIGTERM, or a closed terminal); the second quits at once, unless it is the first one over again.
 *
 * Disposing it gives the keys back. What a process that quit at once leaves running ends by itself, because it notices that its parent is gone.
 */
export function interruptOnSignals(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  let firstNs = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      firstNs = monotonicNs();
      controller.abort();
    } else if (monotonicNs() - firstNs > SAME_SIGNAL_MS * NS_PER_MS) {
      process.exit(EXIT.interrupted);
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
