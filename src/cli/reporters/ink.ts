import type { Reporter, RunEvent } from '../../events.ts';
import { INITIAL_STATE, type ProgressState, reduce } from './progress-state.ts';
import type { LogEntry, RunViewProps } from './RunView.tsx';

/** The screen may share a core with the load generator, so it is drawn seldom. */
const MAX_FRAMES_PER_S = 4;
/** Between events, only clocks move. */
const TICK_MS = 1000;

/** Redraws a terminal in place. The view is drawn from the same state as every other reporter's. */
export async function createInkReporter(
  stream: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Reporter> {
  const { createElement, render, RunView } = await loadForProduction();
  const hasColor = env.NO_COLOR === undefined || env.NO_COLOR === '';
  let state = INITIAL_STATE;
  let log: readonly LogEntry[] = [];
  const view = () => createElement<RunViewProps>(RunView, { log, state, nowMs: Date.now(), hasColor });
  const instance = render(view(), {
    stdout: stream,
    maxFps: MAX_FRAMES_PER_S,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  const draw = () => instance.rerender(view());
  const clock = setInterval(draw, TICK_MS);

  return {
    report(event) {
      const before = state;
      state = reduce(state, event);
      const entries = entriesOf(event, before, state, log.length);
      if (entries.length > 0) log = [...log, ...entries];
      draw();
    },
    async close() {
      clearInterval(clock);
      draw();
      instance.unmount();
      await instance.waitUntilExit();
    },
  };
}

/** What an event adds to the part of the screen that stays. */
function entriesOf(event: RunEvent, before: ProgressState, after: ProgressState, key: number): LogEntry[] {
  if (event.type === 'trial-finished') return [{ key, kind: 'trial', label: event.label, record: event.record }];
  if (event.type === 'warning' && after.warnings !== before.warnings) {
    return [{ key, kind: 'warning', problem: event.warning }];
  }
  if (event.type === 'notice' && after.notices !== before.notices)
    return [{ key, kind: 'note', problem: event.notice }];
  return [];
}

/**
 * React, ink and the view, in their production form.
 *
 * React chooses by NODE_ENV while it is loaded; its development form is slower and keeps a record of every render. The variable is put back at once, because the
 * servers under test inherit the environment and must not depend on who watches.
 */
async function loadForProduction() {
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    const [{ createElement }, { render }, { RunView }] = await Promise.all([
      import('react'),
      import('ink'),
      import('./RunView.tsx'),
    ]);
    return { createElement, render, RunView };
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}
