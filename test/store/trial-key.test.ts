import { describe, expect, it } from 'vitest';
import { type TrialDefinition, trialKey } from '../../src/store/index.ts';
import { spec } from './examples.ts';

const { measure, energy } = spec();
const rate = { kind: 'rate', rateRps: 10, arrivals: 'poisson' } as const;
const definition: TrialDefinition = {
  levels: { model: { name: 'a', value: 'a' }, threads: { name: '2', value: 2 } },
  load: rate,
  measure,
  energy,
  modelDigest: 'd1',
  engine: 'native',
  serverCpuset: '0',
  generatorCpuset: '1',
  connections: 64,
  seed: 7,
  replicate: 1,
};

describe('the key of a trial', () => {
  it('is sixteen hex digits and the same on every machine', () => {
    expect(trialKey(definition)).toBe('11ba8efbffdcdc12');
  });

  it('does not depend on the order in which keys were written', () => {
    const levels = { threads: { value: 2, name: '2' }, model: { value: 'a', name: 'a' } };
    expect(trialKey({ ...definition, levels })).toBe(trialKey(definition));
  });

  const changes: Record<string, Partial<TrialDefinition>> = {
    'the value behind a level name': { levels: { ...definition.levels, threads: { name: '2', value: 3 } } },
    'the name of a level': { levels: { ...definition.levels, threads: { name: 'two', value: 2 } } },
    'another factor': { levels: { ...definition.levels, batch: { name: '1', value: 1 } } },
    'the rate behind its load level': { load: { kind: 'rate', rateRps: 11, arrivals: 'poisson' } },
    'a pattern of that rate': { load: { ...rate, pattern: { kind: 'sine', amplitude: 0.5, periodS: 5 } } },
    'one second of a trace': { load: { ...rate, pattern: { kind: 'trace', rates: [1, 3] } } },
    'the arrival process': { load: { kind: 'rate', rateRps: 10, arrivals: 'constant' } },
    'the window': { measure: { ...measure, windowS: 3 } },
    'the timeout': { measure: { ...measure, timeoutMs: 2000 } },
    'the precision asked for': { measure: { ...measure, precision: { latency_p50_ms: 0.1 } } },
    'the energy source': { energy: { ...energy, source: 'estimate' } },
    'the power model': { energy: { ...energy, estimate: { idleW: 11, corePowerW: 5 } } },
    'the model file': { modelDigest: 'd2' },
    'the engine': { engine: 'docker' },
    'the CPUs of the server': { serverCpuset: '1' },
    'the CPUs of the generator': { generatorCpuset: '0' },
    'the number of connections': { connections: 8 },
    'the seed': { seed: 8 },
    'the replicate': { replicate: 2 },
  };
  it('differs between any two of these', () => {
    const keys = Object.values(changes).map((change) => trialKey({ ...definition, ...change }));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each(Object.entries(changes))('changes with %s', (_what, change) => {
    expect(trialKey({ ...definition, ...change })).not.toBe(trialKey(definition));
  });

  it('does not change with what only decides whether and when a trial runs', () => {
    const sameMeasure = { ...measure, retries: 3, idleGateS: 60 };
    const sameEnergy = { ...energy, powercapRoot: '/mnt/powercap', hwmonRoot: '/mnt/hwmon' };
    expect(trialKey({ ...definition, measure: sameMeasure, energy: sameEnergy })).toBe(trialKey(definition));
  });
});
