import type { ExperimentSpec } from '../spec/types.ts';
import { COLUMNS, IDENTITY_COLUMNS, MEASURED_COLUMNS } from './columns.ts';
import { slotOf } from './slot.ts';
import type { Cell, JournalRecord, Reason, TrialRecord } from './types.ts';

type Row = Readonly<Record<string, Cell>>;

const KNOWN = new Set(COLUMNS.map(({ name }) => name));

/**
 * Collects the rows of `trials.csv` record by record; a later attempt of a trial takes the place of an earlier one on the same machine, and what is no trial has no row.
 * A trial whose levels and replicate were measured again under another definition stays, as invalid and `superseded`.
 */
export interface TrialsTable {
  add(record: JournalRecord): void;
  /** Names in order: what the row is, the factors, the responses in the order of the dictionary, then what the dictionary does not know. */
  columns(): readonly string[];
  rows(): readonly Row[];
}

/** @param spec - says in which order the factors stand; those of earlier versions of the spec follow */
export function createTrialsTable(spec: Pick<ExperimentSpec, 'factors' | 'fixed'>): TrialsTable {
  const rows = new Map<string, Row>();
  /** Keys of the measured rows that hold their slots. */
  const holders = new Map<string, string>();
  const factors = new Set([...Object.keys(spec.factors), ...Object.keys(spec.fixed)]);
  const others = new Set<string>();
  return {
    add(record) {
      if (record.kind !== 'trial') return;
      for (const factor of Object.keys(record.factors)) factors.add(factor);
      if (record.state === 'done') {
        for (const name of Object.keys(record.responses)) if (!KNOWN.has(name)) others.add(name);
      }
      // The same trial on two machines is two trials, where their journals were carried together.
      const key = JSON.stringify([record.host, record.trialId]);
      rows.delete(key);
      rows.set(key, rowOf(record));
      if (record.state !== 'done') return;
      const slot = slotOf(record);
      const holder = holders.get(slot);
      const held = holder === undefined || holder === key ? undefined : rows.get(holder);
      if (holder !== undefined && held !== undefined) rows.set(holder, supersededRow(held, record.trialId));
      holders.set(slot, key);
    },
    columns: () => [...names(IDENTITY_COLUMNS), ...factors, ...names(MEASURED_COLUMNS), ...[...others].sort()],
    rows: () => [...rows.values()],
  };
}

function names(columns: typeof COLUMNS): string[] {
  return columns.map(({ name }) => name);
}

function rowOf(record: TrialRecord): Row {
  const isDone = record.state === 'done';
  return {
    ...(isDone ? record.responses : {}),
    ...record.factors,
    trial_id: record.trialId,
    point_id: record.pointId,
    replicate: record.replicate,
    block: record.block,
    run_order: record.runOrder,
    state: record.state,
    verdict: isDone ? record.verdict : undefined,
    reasons: isDone ? renderReasons(record.reasons) : `failed in ${record.phase}: ${oneLine(record.reason)}`,
    host: record.host,
    started_at: record.startedAt,
    duration_s: record.durationS,
    attempt: record.attempt,
    engine: record.engine,
    mechanism: isDone ? record.mechanism : undefined,
  };
}

function supersededRow(row: Row, byTrialId: string): Row {
  const detail = `measured again as ${byTrialId} with another model file, load, measurement, seed or engine`;
  const reasons = [renderReasons([{ code: 'superseded', detail }]), row.reasons].filter((text) => text !== undefined);
  return { ...row, verdict: 'invalid', reasons: reasons.join('; ') };
}

function renderReasons(reasons: readonly Reason[]): string | undefined {
  if (reasons.length === 0) return undefined;
  return reasons.map(({ code, detail }) => `${code}: ${oneLine(detail)}`).join('; ');
}

/** A cell holds one line, so that line-based tools keep working on the file. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}
