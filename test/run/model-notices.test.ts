import { expect, test } from 'vitest';
import type { ResolvedModel } from '../../src/models/types.ts';
import { modelNotices } from '../../src/run/model-notices.ts';

test('a caveat is told once, with all the variants it holds for, and synthetic weights once a model', () => {
  const model = (name: string, variant: string, isSynthetic: boolean, caveats: string[]) =>
    ({ name, variant, isSynthetic, caveats }) as unknown as ResolvedModel;
  const notices = modelNotices([
    model('a', 'fp32', true, []),
    model('a', 'fp16', true, ['no faster']),
    model('b', 'fp16', false, ['no faster']),
    model('b', 'sparse-50', false, ['no smaller']),
  ]);
  expect(notices.map(({ what }) => what)).toEqual([
    'a has synthetic weights',
    'variant fp16: no faster',
    'variant sparse-50: no smaller',
  ]);
});
