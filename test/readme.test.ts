import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageFile } from '../src/package-files.ts';
import { RESPONSES } from '../src/spec/index.ts';
import { COLUMNS, REASONS } from '../src/store/index.ts';

const readme = readFileSync(packageFile('README.md'), 'utf8');
const uncertainty = readFileSync(packageFile('docs/uncertainty.md'), 'utf8');

test.each(COLUMNS)('README describes the column $name with its unit', ({ name, unit, description }) => {
  expect(readme).toContain(`| \`${name}\` | ${unit} | ${description.replaceAll('|', '\\|')} |`);
});

test.each(Object.keys(REASONS))('README says what the reason "%s" means', (code) => {
  expect(readme).toContain(`\`${code}\``);
});

test.each(RESPONSES)('docs/uncertainty.md says once how sure $name is', ({ name, interval }) => {
  const rows = uncertainty.split('\n').filter((line) => line.split('|')[1]?.includes(`\`${name}\``));
  expect(rows).toHaveLength(1);
  expect(rows[0]?.includes('_lo`')).toBe(interval !== undefined || name === 'energy_net_j');
});
