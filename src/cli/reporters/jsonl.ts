import type { Reporter } from '../../events.ts';

/** Every event as one line of JSON. */
export function createJsonlReporter(stream: NodeJS.WritableStream): Reporter {
  return {
    report: (event) => {
      stream.write(`${JSON.stringify(event)}\n`);
    },
    close: async () => undefined,
  };
}
