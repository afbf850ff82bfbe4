import { RESPONSES, type ResponseDefinition } from '../spec/index.ts';

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

/** Columns of text that say something about the response they stand after. */
const AFTER: Readonly<Record<string, readonly ColumnDefinition[]>> = {
  capacity_slo_rps: [
    column(
      'capacity_kind',
      '',
      'How the configuration behaves around its capacity in closed loop: cliff (throughput falls by over 10 % beyond it) or smooth (it stays)',
    ),
  ],
  accuracy_top5: [
    column(
      'accuracy_source',
      '',
      'Where accuracy comes from: served (the answers of the trial itself) or eval (the same file on the samples under `accuracy`)',
    ),
  ],
  idle_power_w: [
    column(
      'energy_source',
      '',
      'Where energy figures come from: rapl, hwmon, nvidia-smi, command, or estimate (computed, not measured)',
    ),
  ],
};

const responseColumns: readonly ColumnDefinition[] = RESPONSES.flatMap((response) => [
  response,
  ...intervalColumns(response),
  ...(AFTER[response.name] ?? []),
]).map(({ name, unit, description }) => column(name, unit, description));

function intervalColumns({ name, unit, interval }: ResponseDefinition): ColumnDefinition[] {
  if (interval === undefined) return [];
  return [
    column(`${name}_lo`, unit, `Lower end of the confidence interval of ${name}`),
    column(`${name}_hi`, unit, `Upper end of the confidence interval of ${name}`),
  ];
}

/** How the trial went; these and the responses stand after the factors. */
const conductColumns: readonly ColumnDefinition[] = [
  column('requests', '', 'Requests that were due in the measured windows'),
  column('ok_count', '', 'Requests answered correctly'),
  column('timeout_count', '', 'Requests given up at the timeout; their latency counts as at least the timeout'),
  column('error_count', '', 'Requests that ended in any other error: the sum of the five kinds that follow'),
  column('refused_count', '', 'Requests whose connection was refused'),
  column('reset_count', '', 'Requests whose connection broke before the whole reply was there'),
  column('http_4xx_count', '', 'Requests answered with an HTTP status from 400 to 499'),
  column('http_5xx_count', '', 'Requests answered with an HTTP status from 500 to 599'),
  column('malformed_count', '', 'Requests whose reply was not a valid answer'),
  column(
    'unanswered_count',
    '',
    'Requests without a reply when the load ended; their latency counts as at least the wait so far',
  ),
  column('send_lag_p50_ms', 'ms', 'Median time from the intended send to the send, where a client was free'),
  column('send_lag_p99_ms', 'ms', '99th percentile of the same; histograms/ holds all of them'),
  column('late_share', '', 'Share of requests (0 to 1) that left later than the verdict allows'),
  column('generator_cpu_util', 'CPUs', 'CPU time of the load generator over the measured time'),
  column(
    'generator_ceiling_rps',
    'requests/s',
    'Highest rate the load generator was seen to send on time on this machine, against a server that answers at once',
  ),
  column('neighbour_offered_rps', 'requests/s', 'Requests to all neighbours that were due in the measured windows'),
  column('neighbour_achieved_rps', 'requests/s', 'Requests that all neighbours answered correctly'),
  column('neighbour_latency_mean_ms', 'ms', "Mean latency of all neighbours' requests; journal.jsonl has each"),
  column('neighbour_cpu_util', 'CPUs', "CPU time of all neighbours' own servers over the measured time"),
  column('gateway_cpu_util', 'CPUs', 'CPU time of the gateway over the measured time'),
  column('gateway_cpuset', '', 'CPUs the gateway ran on, as read back'),
  column('idle_gate_wait_s', 's', 'Time waited for a quiet machine before the trial'),
  column('warmup_s', 's', 'Length of the warm-up'),
  column('window_s', 's', 'Length of one measurement window'),
  column('windows', '', 'Number of measurement windows'),
  column(
    'stop_reason',
    '',
    'Why the measurement ended: windows (as many as asked for), precision (every interval asked for is narrow enough) or max (the longest measurement)',
  ),
  column('interval_notes', '', 'Why an interval is empty, and how long a window or how many replicates it would take'),
  column(
    'lower_bounds',
    '',
    'Latency columns whose true value may be higher, because requests were given up while they waited',
  ),
  column('host', '', 'Machine that measured; its fingerprint is in manifest.json'),
  column('started_at', '', 'When the trial began, ISO 8601, UTC'),
  column('duration_s', 's', 'Length of the whole trial, its launch not included where launches are shared'),
  column('attempt', '', 'Which attempt this is, from 1; earlier ones are in journal.jsonl'),
  column('engine', '', 'native, docker, podman, or external for a server that dse did not start'),
  column('mechanism', '', 'How limits were applied, e.g. cgroup v2; none where there were none'),
];

/** What a row says after its factors, in order. */
export const MEASURED_COLUMNS: readonly ColumnDefinition[] = [...responseColumns, ...conductColumns];

/** The data dictionary of `trials.csv`; one column per factor stands between the two parts. */
export const COLUMNS: readonly ColumnDefinition[] = [...IDENTITY_COLUMNS, ...MEASURED_COLUMNS];
