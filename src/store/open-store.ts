import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, StoreError } from '../errors.ts';
import { COLUMNS } from './columns.ts';
import { renderCsv } from './csv.ts';
import { makeFolder, replaceFile } from './file-system.ts';
import { FILES, histogramPath, secondsPath } from './files.ts';
import { forEachRecord, type JournalWriter, openJournal } from './journal.ts';
import { acquireLock } from './lock.ts';
import { readManifest, updateManifest } from './manifest.ts';
import { slotOf } from './slot.ts';
import { createTrialsTable, type TrialsTable } from './trials-table.ts';
import type { HistogramKind, JournalRecord, Manifest, ManifestInput, ModelProfileRecord, Store } from './types.ts';

/** trials.csv is rewritten after a trial only while rewriting takes at most this share of the time since the last one. */
const MAX_REBUILD_SHARE = 0.02;

/**
 * Opens a result folder for measuring, and makes it if there is none.
 *
 * The same experiment goes on, also with a grown or changed spec: what the manifest said before is kept under `manifests/`.
 * @param outDir - the result folder
 * @param input - what this run says about itself
 * @throws StoreError where the folder holds another experiment or other files, is in use by another dse, has a damaged journal, or cannot be written
 */
export async function openStore(outDir: string, input: ManifestInput): Promise<Store> {
  refuseColumnNames(input);
  await makeFolder(outDir);
  const lock = await acquireLock(join(outDir, FILES.lock));
  try {
    const previous = await readManifest(outDir);
    refuseForeignFolder(outDir, previous, input.experiment);
    for (const folder of [FILES.histograms, FILES.seconds, FILES.logs]) await makeFolder(join(outDir, folder));
    const manifest = await updateManifest(outDir, previous, input, new Date());
    return await openFolder(outDir, manifest, lock);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

async function openFolder(outDir: string, manifest: Manifest, lock: AsyncDisposable): Promise<Store> {
  const startedMs = performance.now();
  const table = createTrialsTable(manifest.spec);
  const seen = new Map<string, SeenTrial>();
  const holders = new Map<string, string>();
  const ceilings = new Map<string, number>();
  const profiles = new Map<string, ModelProfileRecord>();
  const note = (record: JournalRecord) => {
    if (record.kind === 'model-profile') profiles.set(`${record.host} ${record.model}`, record);
    if (record.kind === 'generator-ceiling') ceilings.set(record.host, record.ceilingRps);
    if (record.kind !== 'trial') return;
    const { trialId, state } = record;
    const slot = slotOf(record);
    const attempts = (seen.get(trialId)?.attempts ?? 0) + 1;
    seen.set(trialId, { attempts, isMeasured: state === 'done', slot });
    if (state === 'done') holders.set(slot, trialId);
  };
  const { writer, warnings } = await openJournal(join(outDir, FILES.journal), (record) => {
    note(record);
    table.add(record);
  });
  try {
    await writeTrialsCsv(outDir, table);
  } catch (error) {
    await writer[Symbol.asyncDispose]();
    throw error;
  }
  const endedMs = performance.now();
  const lastRebuild = { endedMs, tookMs: endedMs - startedMs };
  return new FolderStore({
    outDir,
    manifest,
    warnings,
    writer,
    lock,
    seen,
    holders,
    ceilings,
    profiles,
    note,
    lastRebuild,
  });
}

async function writeTrialsCsv(outDir: string, table: TrialsTable): Promise<void> {
  const columns = table.columns();
  const cells = table.rows().map((row) => columns.map((name) => row[name]));
  await replaceFile(join(outDir, FILES.trialsCsv), renderCsv(columns, cells));
}

interface SeenTrial {
  readonly attempts: number;
  readonly isMeasured: boolean;
  readonly slot: string;
}

interface Parts {
  readonly outDir: string;
  readonly manifest: Manifest;
  readonly warnings: readonly Problem[];
  readonly writer: JournalWriter;
  readonly lock: AsyncDisposable;
  readonly seen: ReadonlyMap<string, SeenTrial>;
  /** The trial measured last of each slot. */
  readonly holders: ReadonlyMap<string, string>;
  readonly ceilings: ReadonlyMap<string, number>;
  readonly profiles: ReadonlyMap<string, ModelProfileRecord>;
  readonly note: (record: JournalRecord) => void;
  readonly lastRebuild: { readonly endedMs: number; readonly tookMs: number };
}

/** The store over a folder of this machine. Holds counts in memory, never records: the journal is the truth, and trials.csv is made from it. */
class FolderStore implements Store {
  readonly outDir: string;
  readonly manifest: Manifest;
  readonly warnings: readonly Problem[];
  readonly #parts: Parts;
  #lastRebuild: Parts['lastRebuild'];
  #isCsvCurrent = true;
  #rebuilding: Promise<void> = Promise.resolve();
  /** Set once the file system refused something: whoever uses the store has been told, and closing it does not tell again. */
  #hasRefused = false;

  constructor(parts: Parts) {
    this.outDir = parts.outDir;
    this.manifest = parts.manifest;
    this.warnings = parts.warnings;
    this.#parts = parts;
    this.#lastRebuild = parts.lastRebuild;
  }

  finishedTrialIds(): ReadonlySet<string> {
    const { seen, holders } = this.#parts;
    // One that was superseded is measured again where it is wanted again: its numbers would else stay out of every table.
    const isFinished = ([trialId, { isMeasured, slot }]: [string, SeenTrial]) =>
      isMeasured && holders.get(slot) === trialId;
    return new Set([...seen].filter(isFinished).map(([trialId]) => trialId));
  }

  generatorCeilingRps(host: string): number | undefined {
    return this.#parts.ceilings.get(host);
  }

  modelProfile(host: string, model: string): ModelProfileRecord | undefined {
    return this.#parts.profiles.get(`${host} ${model}`);
  }

  attempts(trialId: string): number {
    return this.#parts.seen.get(trialId)?.attempts ?? 0;
  }

  async append(record: JournalRecord): Promise<void> {
    await this.#noting(this.#parts.writer.append(record));
    this.#parts.note(record);
    if (record.kind !== 'trial') return;
    this.#isCsvCurrent = false;
    const { endedMs, tookMs } = this.#lastRebuild;
    if (tookMs <= MAX_REBUILD_SHARE * (performance.now() - endedMs)) await this.rebuildTrialsCsv();
  }

  async writeHistogram(trialId: string, kind: HistogramKind, text: string, attempt = 1): Promise<void> {
    await this.#noting(replaceFile(histogramPath(this.outDir, trialId, kind, attempt), text));
  }

  async writeSeconds(trialId: string, csv: string, attempt = 1): Promise<void> {
    await this.#noting(replaceFile(secondsPath(this.outDir, trialId, attempt), csv));
  }

  logPath(name: string): string {
    return join(this.outDir, FILES.logs, `${name.replaceAll(/[^\w.=-]+/g, '_')}.log`);
  }

  rebuildTrialsCsv(): Promise<void> {
    const rebuilt = this.#noting(this.#rebuilding.then(() => this.#rebuild()));
    this.#rebuilding = rebuilt.catch(() => undefined);
    return rebuilt;
  }

  async #rebuild(): Promise<void> {
    if (this.#isCsvCurrent) return;
    this.#isCsvCurrent = true;
    const startedMs = performance.now();
    try {
      const table = createTrialsTable(this.manifest.spec);
      await forEachRecord(join(this.outDir, FILES.journal), table.add);
      await writeTrialsCsv(this.outDir, table);
    } catch (error) {
      this.#isCsvCurrent = false;
      throw error;
    }
    const endedMs = performance.now();
    this.#lastRebuild = { endedMs, tookMs: endedMs - startedMs };
  }

  async #noting(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#hasRefused = true;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isToldAlready = this.#hasRefused;
    try {
      await this.rebuildTrialsCsv();
    } catch (error) {
      // Thrown again here it would hide the first refusal, which is on its way to the user. The table is made anew when the folder is next opened.
      if (!isToldAlready) throw error;
    } finally {
      await this.#parts.writer[Symbol.asyncDispose]();
      await this.#parts.lock[Symbol.asyncDispose]();
    }
  }
}

function refuseColumnNames({ spec }: ManifestInput): void {
  const taken = new Set(COLUMNS.map(({ name }) => name));
  const problems = [...Object.keys(spec.factors), ...Object.keys(spec.fixed)]
    .filter((factor) => taken.has(factor))
    .map((factor) => ({
      where: spec.file,
      what: `factor "${factor}" has the name of a column of ${FILES.trialsCsv}`,
      hint: 'Give the factor another name.',
    }));
  if (problems.length > 0) throw new StoreError(problems);
}

function refuseForeignFolder(outDir: string, manifest: Manifest | undefined, experiment: string): void {
  if (manifest !== undefined && manifest.experiment !== experiment) {
    throw new StoreError({
      where: outDir,
      what: `this folder holds the results of experiment "${manifest.experiment}", not of "${experiment}"`,
      hint: 'Choose another folder with --out DIR, or give the spec its old name back. Nothing was changed.',
    });
  }
  if (manifest !== undefined) return;
  const stray = [FILES.journal, FILES.trialsCsv].find((name) => existsSync(join(outDir, name)));
  if (stray === undefined) return;
  throw new StoreError({
    where: join(outDir, stray),
    what: `this folder has a ${stray} but no ${FILES.manifest}, so it is not known which experiment it belongs to`,
    hint: `Put its ${FILES.manifest} back, or choose another folder with --out DIR. Nothing was changed.`,
  });
}
