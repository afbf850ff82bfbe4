import { Box, Static, Text, useStdout } from 'ink';
import type { ReactNode } from 'react';
import stringWidth from 'string-width';
import type { Problem } from '../../errors.ts';
import { formatDuration, formatNumber } from '../../report/index.ts';
import type { TrialRecord } from '../../store/types.ts';
import { countTrials, type ProgressState, type RunningTrial, timeLeftS } from './progress-state.ts';
import { figuresOf, type Mark, markOf, printable, reasonsOf } from './trial-line.ts';

/** Something that stays on the screen above the moving part. */
export type LogEntry =
  | { readonly key: number; readonly kind: 'trial'; readonly label: string; readonly record: TrialRecord }
  | { readonly key: number; readonly kind: 'warning' | 'note'; readonly problem: Problem };

export interface RunViewProps {
  readonly log: readonly LogEntry[];
  readonly state: ProgressState;
  readonly nowMs: number;
  readonly hasColor: boolean;
}

const MARKS: Readonly<Record<Mark, { readonly sign: string; readonly color: string }>> = {
  valid: { sign: '✓', color: 'green' },
  overloaded: { sign: '▲', color: 'yellow' },
  invalid: { sign: '!', color: 'red' },
  failed: { sign: '✗', color: 'red' },
};

const CURRENT = '▸';
const GAP = '  ';
const NO_ORDER = '   ';

/** A run on the terminal: what is finished, what is going on, and one line that sums up. Figures move to a second line where the terminal is narrow. */
export function RunView({ log, state, nowMs, hasColor }: RunViewProps) {
  return (
    <>
      <Static items={[...log]}>
        {(entry) =>
          entry.kind === 'trial' ? (
            <FinishedTrial key={entry.key} label={entry.label} record={entry.record} hasColor={hasColor} />
          ) : (
            <ProblemNote key={entry.key} kind={entry.kind} problem={entry.problem} hasColor={hasColor} />
          )
        }
      </Static>
      <Current state={state} nowMs={nowMs} />
      <Summary state={state} nowMs={nowMs} />
    </>
  );
}

function FinishedTrial(props: { readonly label: string; readonly record: TrialRecord; readonly hasColor: boolean }) {
  const { label, record, hasColor } = props;
  const mark = markOf(record);
  const { sign, color } = MARKS[mark];
  const attempt = record.attempt > 1 ? ` (attempt ${record.attempt})` : '';
  return (
    <Box flexDirection="column">
      <TwoParts
        mark={<Text {...(hasColor ? { color } : {})}>{sign}</Text>}
        title={`${order(record.runOrder)} ${printable(label)}${attempt}`}
        figures={[...(mark === 'valid' ? [] : [mark]), ...figuresOf(record)]}
      />
      <Indented lines={reasonsOf(record)} />
    </Box>
  );
}

function ProblemNote(props: {
  readonly kind: 'warning' | 'note';
  readonly problem: Problem;
  readonly hasColor: boolean;
}) {
  const { kind, problem, hasColor } = props;
  const { where, what, hint } = problem;
  return (
    <Box flexDirection="column">
      <Text>
        <Text {...(hasColor ? { color: kind === 'warning' ? 'yellow' : 'cyan' } : {})}>{kind}</Text>
        {` ${where === undefined ? '' : `${printable(where)}: `}${printable(what)}`}
      </Text>
      <Indented lines={hint.split('\n').map(printable)} />
    </Box>
  );
}

function Current({ state, nowMs }: { readonly state: ProgressState; readonly nowMs: number }) {
  const { running, starting } = state;
  if (running !== undefined) {
    const title = `${order(running.runOrder)} ${printable(running.label)}`;
    return <TwoParts mark={CURRENT} title={title} figures={describeRunning(running, nowMs)} />;
  }
  if (starting === undefined) return null;
  const phase = starting.isReady ? 'finding its capacity' : 'starting the server';
  const figures = [phase, seconds(nowMs - starting.startedAtMs)];
  return <TwoParts mark={CURRENT} title={`${NO_ORDER} ${printable(starting.label)}`} figures={figures} />;
}

function describeRunning(
  { phase, startedAtMs, requests, achievedRps, latencyP50Ms }: RunningTrial,
  nowMs: number,
): string[] {
  return [
    phase ?? 'starting',
    seconds(nowMs - startedAtMs),
    ...(requests === undefined ? [] : [`${requests} requests`]),
    ...(achievedRps === undefined ? [] : [`${formatNumber(achievedRps)}/s`]),
    ...(latencyP50Ms === undefined ? [] : [`p50 ${formatNumber(latencyP50Ms)} ms`]),
  ];
}

function Summary({ state, nowMs }: { readonly state: ProgressState; readonly nowMs: number }) {
  const { all, failed, invalid } = countTrials(state);
  const leftS = timeLeftS(state, nowMs);
  const parts = [
    `${all}/${state.trials ?? '?'} trials`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(invalid > 0 ? [`${invalid} invalid`] : []),
    ...(state.outcome === undefined
      ? leftS === undefined
        ? []
        : [`about ${formatDuration(leftS)} left`]
      : [state.outcome]),
    printable(state.experiment),
  ];
  return <Text wrap="truncate-end">{parts.join(' · ')}</Text>;
}

/** Side by side where both fit the terminal, figures below the title where they do not. */
function TwoParts(props: { readonly mark: ReactNode; readonly title: string; readonly figures: readonly string[] }) {
  const { mark, title, figures } = props;
  const { stdout } = useStdout();
  const rest = ` ${title}${GAP}${figures.join(GAP)}`;
  if (1 + stringWidth(rest) <= (stdout.columns ?? 80)) {
    return (
      <Text>
        {mark}
        {rest}
      </Text>
    );
  }
  return (
    <Box flexDirection="column">
      <Text wrap="truncate-end">
        {mark} {title}
      </Text>
      <Box paddingLeft={6} columnGap={2} flexWrap="wrap">
        {figures.map((figure) => (
          <Text key={figure}>{figure}</Text>
        ))}
      </Box>
    </Box>
  );
}

function Indented({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <Box paddingLeft={6}>
      <Text>{lines.join('\n')}</Text>
    </Box>
  );
}

function order(runOrder: number): string {
  return String(runOrder).padStart(3);
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.floor(ms / 1000))} s`;
}
