import { expect, test } from 'vitest';
import { FACTORS, specJsonSchema } from '../../src/spec/index.ts';

type Node = Record<string, unknown> & { readonly properties?: Record<string, Node>; readonly description?: string };

test('the JSON Schema for editors is current (after a change: npx vitest run test/spec -u)', async () => {
  await expect(`${JSON.stringify(specJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
    '../../configs/experiment.schema.json',
  );
});

test('every key of the spec is described', () => {
  const undescribed = (node: Node, path: string): string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
      ...(child.description === undefined ? [`${path}${key}`] : []),
      ...undescribed(child, `${path}${key}.`),
    ]);
  expect(undescribed(specJsonSchema() as Node, '')).toEqual([]);
});

test('editors are offered every factor, varied and fixed', () => {
  const { properties } = specJsonSchema() as Node;
  expect(Object.keys(properties?.factors?.properties ?? {})).toEqual(Object.keys(FACTORS));
  expect(Object.keys(properties?.fixed?.properties ?? {})).toEqual(Object.keys(FACTORS));
});
