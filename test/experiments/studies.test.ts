import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { readStudySpec, STUDIES, studyFile, tabulateStudy } from '../../experiments/keep-study.ts';
import { describeDesign } from '../../src/design/index.ts';
import { packageFile } from '../../src/package-files.ts';
import { COLUMNS, renderCsv } from '../../src/store/index.ts';

const studies = readdirSync(packageFile('experiments')).filter((name) => existsSync(studyFile(name, 'spec.yaml')));

function readRows(study: string, file: string): readonly Readonly<Record<string, string>>[] {
  return parse(readFileSync(studyFile(study, file), 'utf8'), { columns: true }) as Record<string, string>[];
}

/** The same cell but for last digits, which differ from one processor to the next and may swap the ranks of near ties. */
function isSameCell(kept: string | undefined, today: string | undefined): boolean {
  return kept === today || Math.abs(Number(kept) - Number(today)) <= 1e-3 * Math.abs(Number(kept)) + 1e-12;
}

test('every folder with a spec is a study whose tables are kept', () => {
  expect(studies.toSorted()).toEqual(Object.keys(STUDIES).toSorted());
});

describe.each(studies)('the study %s', (study) => {
  test('can still be planned, is named like its folder, and has replicates', async () => {
    const spec = await readStudySpec(study);
    expect(spec.name).toBe(study);
    const { replicates, estimatedS } = describeDesign(spec);
    expect(replicates).toBeGreaterThan(1);
    expect(estimatedS).toBeLessThan(600);
  });

  test('keeps the trials of its whole design, nine in ten of them usable, in columns of today', async () => {
    const spec = await readStudySpec(study);
    const known = new Set([...COLUMNS.map(({ name }) => name), ...Object.keys({ ...spec.factors, ...spec.fixed })]);
    const rows = readRows(study, 'trials.csv');
    expect(Object.keys(rows[0] ?? {}).filter((column) => !known.has(column))).toEqual([]);
    expect(rows).toHaveLength(describeDesign(spec).trials);
    const usable = rows.filter(({ state, verdict }) => state === 'done' && verdict !== 'invalid');
    expect(usable.length / rows.length).toBeGreaterThanOrEqual(0.9);
  });

  // Where this fails because the analysis changed on purpose: npx tsx experiments/keep-study.ts NAME, and look whether the findings still stand.
  test('keeps the tables that dse makes of these trials today', async () => {
    for (const [name, { columns, rows }] of await tabulateStudy(study)) {
      const today = parse(renderCsv(columns, rows), { columns: true }) as Record<string, string>[];
      const kept = readRows(study, name);
      expect(kept.length, name).toBe(today.length);
      const changed = kept.flatMap((row, at) =>
        Object.keys(row)
          .filter((column) => !isSameCell(row[column], today[at]?.[column]))
          .map(
            (column) => `${name} line ${at + 2}, ${column}: ${row[column]} was kept, ${today[at]?.[column]} is made`,
          ),
      );
      expect(changed).toEqual([]);
    }
  });
});
