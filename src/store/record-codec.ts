import { createHash } from 'node:crypto';
import { z } from 'zod';
import { StoreError } from '../errors.ts';
import { unreachable } from '../unreachable.ts';
import { type JournalRecord, REASON_CODES, TRIAL_PHASES, VERDICTS } from './types.ts';

/** Version of a journal line. Raised when a line of an older dse could be misread. */
export const JOURNAL_FORMAT = 1;

const CHECK_DIGITS = 16;

const responses = z.record(z.string(), z.union([z.number(), z.string()]));
const count = z.int().min(1);

const base = {
  kind: z.literal('trial'),
  trialId: z.string().min(1),
  pointId: z.string().min(1),
  replicate: count,
  block: count,
  runOrder: count,
  attempt: count,
  factors: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  host: z.string(),
  startedAt: z.iso.datetime(),
  durationS: z.number().min(0),
  engine: z.enum(['native', 'docker', 'podman', 'external']),
};

const exit = z
  .object({
    exitCode: z.int().optional(),
    signal: z.string().optional(),
    isOomKilled: z.boolean(),
    lastLines: z.array(z.string()),
  })
  .transform((value) => ({ ...value, exitCode: value.exitCode, signal: value.signal }));

const limits = z.object({
  cpuset: z.string().exactOptional(),
  cpus: z.number().exactOptional(),
  memoryBytes: z.number().exactOptional(),
  cpuFrequencyKhz: z.number().exactOptional(),
});

const neighbour = z.object({
  name: z.string(),
  model: z.string(),
  variant: z.string(),
  applied: limits.exactOptional(),
  mechanism: z.string().exactOptional(),
  responses,
  exit: exit.exactOptional(),
});

const trialRecord = z.discriminatedUnion('state', [
  z.object({
    ...base,
    state: z.literal('done'),
    verdict: z.enum(VERDICTS),
    reasons: z.array(z.object({ code: z.enum(REASON_CODES), detail: z.string() })),
    responses,
    windows: z.array(z.object({ startNs: z.number(), endNs: z.number(), responses })),
    applied: limits,
    mechanism: z.string(),
    imageDigest: z.string().exactOptional(),
    neighbours: z.array(neighbour).exactOptional(),
  }),
  z.object({
    ...base,
    state: z.literal('failed'),
    phase: z.enum(TRIAL_PHASES),
    reason: z.string(),
    exit: exit.exactOptional(),
  }),
]);

const idlePower = z.object({
  kind: z.literal('idle-power'),
  host: z.string(),
  block: count,
  startedAt: z.iso.datetime(),
  durationS: z.number().min(0),
  source: z.string(),
  description: z.string(),
  isEstimate: z.boolean(),
  disturbedBecause: z.string().exactOptional(),
  powerW: z.number(),
  lo: z.number(),
  hi: z.number(),
});

const generatorCeiling = z.object({
  kind: z.literal('generator-ceiling'),
  host: z.string(),
  startedAt: z.iso.datetime(),
  ceilingRps: z.number(),
  steps: z.array(
    z.object({
      rateRps: z.number(),
      achievedRps: z.number(),
      lagP50Ms: z.number().optional(),
      lagP99Ms: z.number().optional(),
      lateShare: z.number(),
      busyCpus: z.number(),
      cpuLostShare: z.number().optional(),
      isHeld: z.boolean(),
    }),
  ),
});

const modelProfile = z.object({
  kind: z.literal('model-profile'),
  host: z.string(),
  startedAt: z.iso.datetime(),
  model: z.string(),
  bareLatencyMs: z.number(),
  bareThroughputIps: z.number(),
});

const journalRecord = z.discriminatedUnion('kind', [
  trialRecord,
  idlePower,
  generatorCeiling,
  modelProfile,
]) satisfies z.ZodType<JournalRecord>;

const line = z.object({ format: z.int(), check: z.string(), record: z.unknown() });

/** A record as messages name it. */
export function nameOf(record: JournalRecord): string {
  switch (record.kind) {
    case 'trial':
      return `trial ${record.trialId}`;
    case 'idle-power':
      return `idle power before block ${record.block}`;
    case 'generator-ceiling':
      return `generator ceiling of ${record.host}`;
    case 'model-profile':
      return `profile of model ${record.model.slice(0, 12)} on ${record.host}`;
    default:
      return unreachable(record);
  }
}

/**
 * A record as one line of the journal, without its line end.
 *
 * The line is complete in itself: its format, a checksum over the record's content, and the record. It can be carried to another journal.
 * @throws StoreError where the record would not be read back as it is (a number that is not finite, a missing field)
 */
export function encodeRecord(record: JournalRecord): string {
  const checked = journalRecord.safeParse(record);
  if (!checked.success) {
    throw new StoreError({
      where: nameOf(record),
      what: `its record cannot be stored: ${firstIssue(checked.error)}`,
      hint: 'This is a fault of dse, not of the experiment; what was recorded before is safe. Please report it with this message.',
    });
  }
  return JSON.stringify({ format: JOURNAL_FORMAT, check: checkOf(record), record });
}

/**
 * The record of one line of the journal.
 * @param where - `file:line`, for messages
 * @throws StoreError where the line is damaged, or was written by a dse whose format this one does not know
 */
export function decodeRecord(text: string, where: string): JournalRecord {
  const parsed = line.safeParse(parseJson(text));
  if (!parsed.success) throw damaged(where, 'this line is not a journal line', text);
  if (parsed.data.format !== JOURNAL_FORMAT) {
    throw new StoreError({
      where,
      what: `this line has journal format ${parsed.data.format}, and this dse reads format ${JOURNAL_FORMAT}`,
      hint: 'Read this folder with the version of dse that wrote it (dseVersion in manifest.json), or run into another folder with --out DIR.',
    });
  }
  if (parsed.data.check !== checkOf(parsed.data.record ?? null)) {
    throw damaged(where, 'this line does not match its checksum', text);
  }
  const record = journalRecord.safeParse(parsed.data.record);
  if (!record.success)
    throw damaged(where, `this line is no record that this dse knows: ${firstIssue(record.error)}`, text);
  return record.data;
}

/** Over the record's JSON as it stands in the line, apart from white space. A canonical order of keys would cost more than all the rest of reading. */
function checkOf(record: unknown): string {
  return createHash('sha256').update(JSON.stringify(record)).digest('hex').slice(0, CHECK_DIGITS);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.')}: ${issue.message}`;
}

function damaged(where: string, what: string, text: string): StoreError {
  const lineNumber = where.slice(where.lastIndexOf(':') + 1);
  const file = where.slice(0, where.lastIndexOf(':'));
  const start = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return new StoreError({
    where,
    what: `${what} ("${start}")`,
    hint: [
      'All other lines are untouched. Delete this one, keeping a copy of the file:',
      `  sed -i.bak ${lineNumber}d '${file}'`,
      'and run again: if it held a trial, only that is repeated.',
    ].join('\n'),
  });
}
