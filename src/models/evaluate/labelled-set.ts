import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';
import { ModelError, messageOf } from '../../errors.ts';
import { type NumberArray, readArray } from '../array-file.ts';

/** Labelled samples as plain numbers, before scale and offset. */
export interface LabelledSet {
  readonly name: string;
  /** [count, ...] */
  readonly samples: NumberArray;
  readonly labels: ArrayLike<number>;
}

/**
 * Reads labelled samples: IDX or NPY files of samples and of labels, or one CSV file with a header whose column `label` holds the class and whose other columns are the sample.
 *
 * @param data - file of the samples: .npy, .csv, or else IDX
 * @param labels - file of the labels, IDX or NPY; not for CSV
 * @throws ModelError if a file cannot be read, or samples and labels differ in number
 */
export function readLabelledSet(data: string, labels: string | undefined): LabelledSet {
  if (/\.csv$/i.test(data)) return readCsv(data);
  if (labels === undefined) {
    throw new ModelError({
      where: data,
      what: 'the samples have no labels',
      hint: 'Name the file of the labels: --labels FILE (IDX or NPY).',
    });
  }
  const samples = readArray(data);
  const classes = readArray(labels);
  const [count = 0] = samples.shape;
  if (classes.shape.length !== 1 || classes.shape[0] !== count || count === 0) {
    throw new ModelError({
      where: labels,
      what: `there are ${count} samples and labels of shape [${classes.shape.join(', ')}]`,
      hint: 'Every sample needs one label: a list of as many whole numbers from 0.',
    });
  }
  return checked({ name: basename(data), samples, labels: classes.data }, labels);
}

function readCsv(file: string): LabelledSet {
  let rows: Record<string, string>[];
  try {
    rows = parse(readFileSync(file), { columns: true, bom: true, skip_empty_lines: true });
  } catch (error) {
    throw badCsv(file, `cannot be read: ${messageOf(error)}`, error);
  }
  const columns = Object.keys(rows[0] ?? {}).filter((column) => column !== 'label');
  if (rows.length === 0 || rows[0]?.label === undefined) throw badCsv(file, 'has no rows with a column "label"');
  const values = new Float32Array(rows.length * columns.length);
  for (const [row, cells] of rows.entries()) {
    for (const [column, name] of columns.entries()) {
      const text = cells[name] ?? '';
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Number.isNaN(value)) throw badCsv(file, `has "${text}" in row ${row + 1}, column "${name}"`);
      values[row * columns.length + column] = value;
    }
  }
  const labels = rows.map(({ label }) => (label?.trim() ? Number(label) : Number.NaN));
  return checked(
    { name: basename(file), samples: { shape: [rows.length, columns.length], data: values }, labels },
    file,
  );
}

function checked(set: LabelledSet, where: string): LabelledSet {
  const wrong = Array.from(set.labels).find((label) => !Number.isInteger(label) || label < 0);
  if (wrong === undefined) return set;
  throw new ModelError({
    where,
    what: `a label is ${wrong}`,
    hint: 'Labels are whole numbers that count the classes from 0.',
  });
}

function badCsv(where: string, what: string, cause?: unknown): ModelError {
  return new ModelError(
    {
      where,
      what: `the table ${what}`,
      hint: 'Give a CSV file with a header: a column "label", and one number a column.',
    },
    cause,
  );
}
