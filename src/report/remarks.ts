import type { Analysis } from '../analysis/index.ts';
import { type Cell, REASONS, type Results } from '../store/index.ts';
import { syntheticModels } from './synthetic.ts';

type Row = Readonly<Record<string, Cell>>;

/** What a reader must know beside the front, one sentence each. */
export function remarksOn(analysis: Analysis, results: readonly Results[]): readonly string[] {
  return [
    ...remarkOnRows(analysis),
    ...remarkOnInvalid(results),
    ...remarkOnLeftOut(analysis),
    ...analysis.notes.map(asSentence),
    ...remarkOnSyntheticModels(results),
    ...remarkOnLowerBounds(results),
    ...remarkOnIntervals(analysis, results),
    ...remarkOnUnmeasured(results),
  ];
}

function remarkOnRows({ counts }: Analysis): string[] {
  const { rows, used, failed, invalid } = counts;
  if (failed + invalid === 0) return [];
  const out = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(invalid > 0 ? [`${invalid} ${invalid === 1 ? 'is' : 'are'} invalid`] : []),
  ];
  return [
    `Of ${rows} trials ${used} count; ${out.join(' and ')}, kept in trials.csv with the reasons and out of every front.`,
  ];
}

/** Which reasons made trials invalid, how often, and what to do about each; the commonest first. */
function remarkOnInvalid(results: readonly Results[]): string[] {
  const invalid = results.flatMap(({ rows }) => rows).filter(({ verdict }) => verdict === 'invalid');
  const hasReason = (row: Row, code: string) => `; ${row.reasons}`.includes(`; ${code}: `);
  return Object.entries(REASONS)
    .filter(([, { weight }]) => weight === 'invalid')
    .map(([code, { advice }]) => ({ code, advice, count: invalid.filter((row) => hasReason(row, code)).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ code, advice, count }) => `${code} in ${count} ${count === 1 ? 'trial' : 'trials'}: ${advice}`);
}

function remarkOnLeftOut({ leftOut }: Analysis): string[] {
  const byReason = new Map<string, number>();
  for (const { reason } of leftOut) byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  return [...byReason].map(
    ([reason, count]) => `${count} ${count === 1 ? 'configuration takes' : 'configurations take'} no part: ${reason}.`,
  );
}

function remarkOnSyntheticModels(results: readonly Results[]): string[] {
  const names = syntheticModels(results);
  if (names.length === 0) return [];
  return [`Synthetic weights: ${joinWords(names)}. They are true in cost, not in answers.`];
}

/** Trials that count whose latencies rest on requests that were given up. */
function remarkOnLowerBounds(results: readonly Results[]): string[] {
  const counting = results.flatMap(({ rows }) => rows).filter(({ verdict }) => verdict !== 'invalid');
  const bounded = counting.filter(({ lower_bounds }) => lower_bounds !== undefined).length;
  if (bounded === 0) return [];
  return [
    `In ${bounded} ${bounded === 1 ? 'trial' : 'trials'} requests were given up while they waited, so latencies there are at least what is shown; \`lower_bounds\` in trials.csv names them.`,
  ];
}

/** Objectives without an interval within a trial, and what one would take. */
function remarkOnIntervals({ options }: Analysis, results: readonly Results[]): string[] {
  const done = results.flatMap(({ rows }) => rows).filter(({ state }) => state === 'done');
  return options.objectives.flatMap(({ response }) => {
    const noted = done.map((row) => intervalNote(row, response)).filter((note) => note !== undefined);
    const [first] = noted;
    if (first === undefined) return [];
    return [
      `${response} has no interval within ${noted.length} of ${done.length} trials; \`interval_notes\` in trials.csv says what each would take, the first: ${first}.`,
    ];
  });
}

/** What `interval_notes` says of one column; the notes stand one after another, each beginning with its column. */
function intervalNote(row: Row, response: string): string | undefined {
  const [, rest] = `; ${row.interval_notes ?? ''}`.split(`; ${response}: `);
  return rest?.split('; latency_')[0];
}

/** Something a trial may measure, and what its absence means. */
interface Measurement {
  readonly columns: readonly string[];
  /** As it stands in "Not measured here: ...". */
  readonly name: string;
  /** What would open it, as a clause. */
  readonly remedy: string;
}

const DOCTOR = '`dse doctor` says what opens each meter on this machine';
const LABELS = 'accuracy needs a model with labelled samples, such as mnist-cnn';
const LONGER = 'tail percentiles need longer windows';

const MEASUREMENTS: readonly Measurement[] = [
  { columns: ['energy_gross_j'], name: 'energy', remedy: DOCTOR },
  { columns: ['cpu_util'], name: 'CPU use of the server', remedy: DOCTOR },
  { columns: ['memory_peak_mb'], name: 'peak memory of the server', remedy: DOCTOR },
  { columns: ['network_rx_mb', 'network_tx_mb'], name: 'network traffic', remedy: DOCTOR },
  { columns: ['accuracy_top1'], name: 'accuracy', remedy: LABELS },
  { columns: ['latency_p50_ms'], name: 'latency_p50_ms', remedy: LONGER },
  { columns: ['latency_p95_ms'], name: 'latency_p95_ms', remedy: LONGER },
  { columns: ['latency_p99_ms'], name: 'latency_p99_ms', remedy: LONGER },
  { columns: ['latency_p999_ms'], name: 'latency_p999_ms', remedy: LONGER },
];

/** One sentence on what could not be measured and how to get it; none where everything was. */
function remarkOnUnmeasured(results: readonly Results[]): string[] {
  const rows = results.flatMap((result) => result.rows).filter(({ state }) => state === 'done');
  if (rows.length === 0) return [];
  const estimated = rows.filter(({ energy_source }) => energy_source === 'estimate').length;
  const missing = MEASUREMENTS.map((measurement) => ({
    ...measurement,
    count: countMissing(rows, measurement.columns),
  }));
  const found = missing.filter(({ count }) => count > 0);
  if (found.length === 0 && estimated === 0) return [];
  const names = [
    ...(estimated > 0 ? [`energy (estimated from CPU time instead${share(estimated, rows.length)})`] : []),
    ...found.map(({ name, count }) => `${name}${share(count, rows.length)}`),
  ];
  const remedies = [...new Set([...(estimated > 0 ? [DOCTOR] : []), ...found.map(({ remedy }) => remedy)])];
  return [`Not measured here: ${names.join(', ')}. To get it: ${remedies.join('; ')}.`];
}

function countMissing(rows: readonly Row[], columns: readonly string[]): number {
  return rows.filter((row) => columns.every((column) => row[column] === undefined)).length;
}

function share(count: number, total: number): string {
  return count === total ? '' : ` in ${count} of ${total} trials`;
}

function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
