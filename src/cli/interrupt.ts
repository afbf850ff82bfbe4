import { EXIT } from './exit-code.ts';

/**
 * A signal that is aborted by the first Ctrl-C (or SIGTERM, or a closed terminal); the second quits at once.
 *
 * Disposing it gives the keys back. What a process that quit at once leaves running ends by itself, because it notices that its parent is gone.
 */
export function interruptOnSignals(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
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
