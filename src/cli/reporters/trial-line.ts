import { stripVTControlCharacters } from 'node:util';
import { formatNumber } from '../../report/index.ts';
import { REASONS, type TrialRecord } from '../../store/index.ts';

/** How a finished trial is marked. */
export type Mark = 'valid' | 'overloaded' | 'invalid' | 'failed';

export function markOf(record: TrialRecord): Mark {
  return record.state === 'failed' ? 'failed' : record.verdict;
}

/** The few figures of a finished trial that a line has room for (`inf` is an inference, `est.` an estimate); empty for a failed one. */
export function figuresOf(record: TrialRecord): readonly string[] {
  if (record.state === 'failed') return [];
  const { responses } = record;
  const figure = (name: string, before: string, unit: string): string[] => {
    const value = responses[name];
    return typeof value === 'number' ? [`${before}${formatNumber(value)} ${unit}`] : [];
  };
  const isEstimate = responses.energy_source === 'estimate';
  return [
    ...figure('latency_p50_ms', 'p50 ', 'ms'),
    ...figure('latency_p95_ms', 'p95 ', 'ms'),
    ...figure('throughput_ips', '', 'inf/s'),
    ...figure('energy_per_inference_j', '', isEstimate ? 'J/inf est.' : 'J/inf'),
  ];
}

/** Why a trial is not simply valid, one sentence a reason. What is only worth knowing is left to trials.csv. */
export function reasonsOf(record: TrialRecord): readonly string[] {
  if (record.state === 'failed') return [`failed in ${record.phase}: ${printable(record.reason)}`];
  return record.reasons
    .filter(({ code }) => REASONS[code].weight !== 'note')
    .map(({ code, detail }) => `${code}: ${printable(detail)}`);
}

/** Text of others (a server's last line, a path) made safe for a terminal: one line, no control characters. */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
}
