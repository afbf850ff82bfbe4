import type { ReasonCode } from './types.ts';

/** What a reason means for a trial, and what to do about it. */
export interface ReasonDefinition {
  /** `invalid` makes the trial's numbers unfit for a front, `overloaded` is a finding about the server, `note` is only worth knowing. */
  readonly weight: 'invalid' | 'overloaded' | 'note';
  readonly advice: string;
}

/** Every reason a trial may carry. */
export const REASONS: Readonly<Record<ReasonCode, ReasonDefinition>> = {
  overloaded: {
    weight: 'overloaded',
    advice: 'The server cannot carry this load: give it more CPU, or offer less.',
  },
  errors: { weight: 'invalid', advice: "Look into the server's log of this trial." },
  'generator-late': {
    weight: 'invalid',
    advice: 'Give the generator a CPU of its own (generator.cpuset) and close other programs.',
  },
  'generator-saturated': {
    weight: 'invalid',
    advice: 'The generator is the bottleneck: give it another CPU, or offer less.',
  },
  'shared-cpu': { weight: 'note', advice: 'Use a machine with two CPUs, and Linux to keep them apart.' },
  unsteady: { weight: 'invalid', advice: 'Raise measure.max_warmup, or look for what keeps changing.' },
  'too-few-samples': { weight: 'note', advice: 'Lengthen measure.window or add replicates.' },
  'host-busy': { weight: 'invalid', advice: 'Close other programs, or run at a quieter time.' },
  throttled: {
    weight: 'invalid',
    advice: 'Let the machine cool down, fix the CPU frequency, or lift the quota that dse itself runs under.',
  },
  'energy-unknown': {
    weight: 'note',
    advice:
      'Run `dse doctor` for what this machine can measure, and run at a quieter time where idle power is not known.',
  },
  'outcomes-unbalanced': {
    weight: 'invalid',
    advice: 'This is a defect of dse: please report it with the journal line.',
  },
  'neighbour-died': {
    weight: 'invalid',
    advice: "Look into the neighbour's log (logs/), and at its memory limit.",
  },
  'neighbour-behind': {
    weight: 'invalid',
    advice:
      'Offer the neighbour less, give it more CPU, or hold it under a closed loop (concurrency), which takes what it can get.',
  },
  'neighbour-generator-shared': {
    weight: 'note',
    advice: "Leave a CPU to the neighbours' load generators with server.cpuset.",
  },
  superseded: {
    weight: 'invalid',
    advice: 'The newer trial counts in its place. To keep both, give each its own folder with --out DIR.',
  },
  'littles-law': { weight: 'note', advice: 'Arrivals, latency and concurrency disagree: lengthen the window.' },
};
