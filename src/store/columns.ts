import { RESPONSES } from '../spec/index.ts';

/** One column of `trials.csv`. */
export interface ColumnDefinition {
  readonly name: string;
  /** '' for a name, a share or a count. */
  readonly unit: string;
  readonly description: string;
}

function column(name: string, unit: string, description: string): ColumnDefinition {
  return { name, unit, description };
}

/** What a row is; these stand before the factors. */
export const IDENTITY_COLUMNS: readonly ColumnDefinition[] = [
  column('trial_id', '', 'Hash of everything that defines the trial; names its histogram'),
  column('point_id', '', 'Hash of the levels: equal for the replicates of one point'),
  column('replicate', '', 'Which repetition of the point, from 1'),
  column('block', '', 'Block of the run order, from 1'),
  column('run_order', '', 'Position in the randomised order of its run, from 1'),
  column('state', '', 'done, or failed where nothing could be measured'),
  column(
    'verdict',
    '',
    'valid, overloaded (a finding about the server) or invalid (kept out of fronts); empty for a failed trial',
  ),
  column('reasons', '', 'Why the verdict is not simply valid, or why the trial failed'),
];

/** Responses that can carry a confidence interval: every latency but the largest, which has none. */
function hasInterval(name: string): boolean {
  return name.startsWith('latency_') && name !== 'latency_max_ms';
}

const AFTER: Readonly<Record<string, readonly ColumnDefinition[]>> = {
  idle_power_w: [
    column(
      'energy_source',
      '',
      'Where energy figures come from: rapl, hwmon, nvidia-smi, command, or estimate (computed, not measured)',
    ),
  ],
};

const responseColumns: readonly ColumnDefinition[] = RESPONSES.flatMap(({ name, unit, description }) => [
  column(name, unit, description),
  ...(hasInterval(name)
    ? [
        column(`${name}_lo`, unit, `Lower end of the confidence interval of ${name}`),
        column(`${name}_hi`, unit, `Upper end of the confidence interval of ${name}`),
      ]
    : []),
  ...(AFTER[name] ?? []),
]);

/** How the trial went; these and the responses stand after the factors. */
const conductColumns: readonly ColumnDefinition[] = [
  column('requests', '', 'Requests that were due in the measured windows'),
  column('ok_count', '', 'Requests answered correctly'),
  column('timeout_count', '', 'Requests given up at the timeout; their latency counts as at least the timeout'),
  column('error_count', '', 'Requests that ended in any other error'),
  column('send_lag_p99_ms', 'ms', '99th percentile of the time from the intended send to the send'),
  column('late_share', '', 'Share of requests (0 to 1) that left later than the verdict allows'),
  column('generator_cpu_util', 'CPUs', 'CPU time of the load generator over the measured time'),
  column('idle_gate_wait_s', 's', 'Time waited for a quiet machine before the trial'),
  column('warmup_s', 's', 'Length of the warm-up'),
  column('window_s', 's', 'Length of one measurement window'),
  column('windows', '', 'Number of measurement windows'),
  column('stop_reason', '', 'Why the measurement ended'),
  column('host', '', 'Machine that measured; its fingerprint is in manifest.json'),
  column('started_at', '', 'When the trial began, ISO 8601, UTC'),
  column('duration_s', 's', 'Length of the whole trial, its launch not included where launches are shared'),
  column('attempt', '', 'Which attempt this is, from 1; earlier ones are in journal.jsonl'),
  column('engine', '', 'native, docker or podman'),
  column('mechanism', '', 'How limits were applied, e.g. cgroup v2; none where there were none'),
];

/** What a row says after its factors, in order. */
export const MEASURED_COLUMNS: readonly ColumnDefinition[] = [...responseColumns, ...conductColumns];

/** The data dictionary of `trials.csv`; one column per factor stands between the two parts. */
export const COLUMNS: readonly ColumnDefinition[] = [...IDENTITY_COLUMNS, ...MEASURED_COLUMNS];
