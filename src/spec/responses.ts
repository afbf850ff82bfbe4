/** A numeric column of `trials.csv` that a trial may measure. */
export interface ResponseDefinition {
  readonly name: string;
  /** As a reader writes it; '' for a share or a count. */
  readonly unit: string;
  readonly description: string;
  /** Which way is good, where that does not depend on the question asked. */
  readonly better: 'lower' | 'higher' | undefined;
  /**
   * How its confidence interval (columns `..._lo` and `..._hi`) is found, where it can have one: from the latencies of a trial's requests, which more windows make
   * narrower, or beforehand.
   */
  readonly interval?: 'latencies' | 'beforehand';
  /** A difference, or on a scale that goes below 0. */
  readonly canBeNegative?: true;
}

function response(
  name: string,
  unit: string,
  better: ResponseDefinition['better'],
  description: string,
  interval?: ResponseDefinition['interval'],
): ResponseDefinition {
  return { name, unit, description, better, ...(interval === undefined ? {} : { interval }) };
}

function signed(definition: ResponseDefinition): ResponseDefinition {
  return { ...definition, canBeNegative: true };
}

function latencyQuantile(column: string, words: string, smallestSample: string): ResponseDefinition {
  return response(
    column,
    'ms',
    'lower',
    `${words} latency from the intended send to the whole reply; needs ${smallestSample} requests`,
    'latencies',
  );
}

/**
 * The data dictionary: every numeric response by its column name, with its unit. Objectives and precision limits name these.
 *
 * Smallest samples of the percentiles: MLPerf LoadGen's early-stopping rule at 99 % confidence with one exceedance allowed.
 */
export const RESPONSES: readonly ResponseDefinition[] = [
  response('offered_rps', 'requests/s', undefined, 'Requests that were due in the measured windows, per second'),
  response('achieved_rps', 'requests/s', 'higher', 'Requests answered correctly, per second'),
  response(
    'goodput_rps',
    'requests/s',
    'higher',
    'Requests answered correctly within `measure.slo.latency_ms`, per second',
  ),
  response(
    'accurate_rps',
    'requests/s',
    'higher',
    'Requests answered within `measure.slo.latency_ms`, each counted by the share of its items whose first class is the label, per second; only where samples carry labels',
  ),
  response(
    'throughput_ips',
    'inferences/s',
    'higher',
    'Items (e.g. images) answered correctly, per second: requests times batch',
  ),
  response(
    'capacity_rps',
    'requests/s',
    'higher',
    'What this server configuration answered in closed loop before its trials, per second',
  ),
  response(
    'capacity_slo_rps',
    'requests/s',
    'higher',
    'Highest Poisson rate at which this server configuration met `measure.slo.latency_ms` before its trials, found by bisection; 0 where it met it at none',
  ),
  response('latency_mean_ms', 'ms', 'lower', 'Mean latency from the intended send to the whole reply', 'latencies'),
  latencyQuantile('latency_p50_ms', 'Median', '11'),
  latencyQuantile('latency_p90_ms', '90th percentile of', '64'),
  latencyQuantile('latency_p95_ms', '95th percentile of', '130'),
  latencyQuantile('latency_p99_ms', '99th percentile of', '662'),
  latencyQuantile('latency_p999_ms', '99.9th percentile of', '6636'),
  response('latency_max_ms', 'ms', 'lower', 'Largest latency seen; grows with the number of requests'),
  response(
    'queue_ms',
    'ms',
    'lower',
    'Mean time a request waited in the server before the runtime took it up, as the server reports it',
  ),
  response('compute_ms', 'ms', 'lower', 'Mean time a request spent in the inference runtime, as the server reports it'),
  response(
    'cache_hit_rate',
    '',
    'higher',
    'Share of requests (0 to 1) answered from what the server remembered, as it reports; empty where it remembers nothing',
  ),
  response('cpu_util', 'CPUs', 'lower', 'CPU time of the server over the measured time: 1 is one CPU fully used'),
  response(
    'throttled_share',
    '',
    'lower',
    "Share (0 to 1) of the measured time's quota periods, mostly 100 ms each, in which the server used its CPU quota up and was held back",
  ),
  response('memory_peak_mb', 'MB', 'lower', 'Largest memory use of the server'),
  response('network_rx_mb', 'MB', 'lower', 'Bytes the server received in the measured windows'),
  response('network_tx_mb', 'MB', 'lower', 'Bytes the server sent in the measured windows'),
  response(
    'block_read_mb',
    'MB',
    'lower',
    'Bytes the server had read from block devices in the measured windows, where its cgroup counts them; what the page cache serves is not in it',
  ),
  response(
    'block_write_mb',
    'MB',
    'lower',
    'Bytes the server wrote to block devices in the measured windows, where its cgroup counts them; under cgroup v1 without what the kernel writes back later',
  ),
  response('energy_gross_j', 'J', 'lower', 'Energy drawn in the measured windows, idle included'),
  signed(response('energy_net_j', 'J', 'lower', 'Energy drawn in the measured windows above idle power')),
  response('energy_per_inference_j', 'J', 'lower', 'Gross energy divided by the items answered correctly'),
  signed(response('energy_net_per_inference_j', 'J', 'lower', 'Net energy divided by the items answered correctly')),
  signed(
    response(
      'energy_share_estimate_j',
      'J',
      'lower',
      "Estimate of the server's part of energy_net_j where neighbours ran: what is left without their servers' and load generators' share of the machine's busy CPU time",
    ),
  ),
  signed(
    response(
      'energy_share_estimate_per_inference_j',
      'J',
      'lower',
      'The same estimate divided by the items answered correctly',
    ),
  ),
  response('energy_per_request_j', 'J', 'lower', 'Gross energy divided by the requests answered correctly'),
  response(
    'energy_per_correct_j',
    'J',
    'lower',
    'Gross energy divided by the items whose first class is the label; only where samples carry labels',
  ),
  response(
    'energy_delay_product_js',
    'J*s',
    'lower',
    'energy_per_request_j times latency_mean_ms / 1000: what a request costs in joules times the seconds it takes',
  ),
  response('power_w', 'W', 'lower', 'Mean power over the measured windows, idle included'),
  response(
    'idle_power_w',
    'W',
    undefined,
    'Power of the machine with nothing served, measured before the block',
    'beforehand',
  ),
  response(
    'accuracy_top1',
    '',
    'higher',
    'Share of answers whose first class is the label (0 to 1): of those the trial itself was served, or else as accuracy_source says',
  ),
  response(
    'accuracy_top5',
    '',
    'higher',
    'Share of the same answers with the label among the first five classes (0 to 1)',
  ),
  response(
    'bare_latency_ms',
    'ms',
    'lower',
    'One item through the bare model on one thread: no server, no load; median',
  ),
  response(
    'bare_throughput_ips',
    'inferences/s',
    'higher',
    'Highest rate of items through the bare model on one thread, over batches of 1, 4 and 16',
  ),
  response('model_size_mb', 'MB', 'lower', 'Size of the ONNX file'),
  response('params', '', 'lower', 'Parameters of the model'),
  response('macs', '', 'lower', 'Multiply-adds of one inference'),
  response(
    'others_cpu_util',
    'CPUs',
    undefined,
    'CPUs used in the measured windows by anything but server, generator and dse',
  ),
  response(
    'steal_cpu_util',
    'CPUs',
    undefined,
    'CPUs that the hypervisor gave to other machines in the measured windows while this one wanted them',
  ),
  response(
    'generator_throttled_share',
    '',
    undefined,
    "Share (0 to 1) of the measured time's quota periods in which a CPU quota held the load generator and dse back",
  ),
  response(
    'cpu_frequency_mhz',
    'MHz',
    undefined,
    "Clock of the CPUs where the kernel tells: mean over all CPUs and over the readings at the windows' edges",
  ),
  signed(
    response(
      'temperature_c',
      '°C',
      undefined,
      "Hottest thermal zone where the kernel tells: mean over the readings at the windows' edges",
    ),
  ),
  response(
    'page_faults',
    '',
    undefined,
    'Page faults of the whole machine in the measured windows that had to read a disk (major faults)',
  ),
  response('swap_mb', 'MB', undefined, 'Memory the whole machine moved to or from swap in the measured windows'),
  signed(
    response(
      'littles_law_error',
      '',
      undefined,
      "Self-check: completion rate times mean latency over the mean number of requests in the system, minus 1; 0 where Little's law holds",
    ),
  ),
];

/** Responses that `measure.precision` may ask for: more windows make their intervals narrower. */
export const PRECISE_RESPONSES: readonly string[] = RESPONSES.filter(({ interval }) => interval === 'latencies').map(
  ({ name }) => name,
);

export function findResponse(name: string): ResponseDefinition | undefined {
  return RESPONSES.find((candidate) => candidate.name === name);
}
