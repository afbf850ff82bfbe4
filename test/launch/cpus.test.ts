import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCpuList } from '../../src/cpu-list.ts';
import { assignCpus, onlineCpus } from '../../src/launch/index.ts';

const assign = (online: number[], asked = {}) => assignCpus(online, asked, true);

describe('CPUs for server and generator', () => {
  test('one CPU is shared', () => {
    expect(assign([3])).toEqual({ server: '3', generator: '3', isShared: true });
  });

  test('two are one each', () => {
    expect(assign([0, 1])).toEqual({ server: '0', generator: '1', isShared: false });
  });

  test('of more, the server gets all but the last', () => {
    expect(assign([0, 1, 2, 3, 6])).toEqual({ server: '0-3', generator: '6', isShared: false });
  });

  test('a list asked for is kept, and the other side gets what is free', () => {
    expect(assign([0, 1, 2, 3], { server: '3' })).toEqual({ server: '3', generator: '2', isShared: false });
    expect(assign([0, 1, 2, 3], { generator: '0-1' })).toEqual({ server: '2-3', generator: '0-1', isShared: false });
  });

  test('a list that takes everything leaves the other side nothing of its own, and that is said', () => {
    expect(assign([0, 1], { server: '0-1' })).toEqual({ server: '0-1', generator: '0-1', isShared: true });
    expect(assign([0, 1], { generator: '0,1' })).toEqual({ server: '0-1', generator: '0-1', isShared: true });
    expect(assign([0, 1], { server: '0', generator: '0' })).toEqual({ server: '0', generator: '0', isShared: true });
  });

  test('without pinning nobody is assigned anything, and both may meet on any CPU', () => {
    expect(assignCpus([0, 1], {}, false)).toEqual({ server: undefined, generator: undefined, isShared: true });
  });

  test('without pinning a list asked for is kept, so that it is refused and not forgotten', () => {
    expect(assignCpus([0, 1], { server: '0' }, false)).toMatchObject({ server: '0', generator: undefined });
  });

  test('with two or more CPUs and nothing asked they are apart, within what may be used, and use all of it', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(255), { minLength: 2 }), (cpus) => {
        const online = cpus.sort((a, b) => a - b);
        const { server, generator, isShared } = assign(online);
        const used = [...(parseCpuList(server ?? '') ?? []), ...(parseCpuList(generator ?? '') ?? [])];
        expect(used.sort((a, b) => a - b)).toEqual(online);
        expect(isShared).toBe(false);
      }),
    );
  });

  test('this process may use at least one CPU', () => {
    expect(onlineCpus().length).toBeGreaterThan(0);
  });
});
