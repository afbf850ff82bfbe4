import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageFile } from '../src/package-files.ts';
import { COLUMNS, REASONS } from '../src/store/index.ts';

const readme = readFileSync(packageFile('README.md'), 'utf8');

test.each(COLUMNS)('README describes the column $name with its unit', ({ name, unit, description }) => {
  expect(readme).toContain(`| \`${name}\` | ${unit} | ${description.replaceAll('|', '\\|')} |`);
});

test.each(Object.keys(REASONS))('README says what the reason "%s" means', (code) => {
  expect(readme).toContain(`\`${code}\``);
});
