import type { ServerExit } from '../launch/types.ts';
import { REASONS, type Reason, type Verdict } from '../store/index.ts';
import { describeExit } from './describe-exit.ts';

/** Figures of one trial's measurement that its verdict is made from; undefined where a figure does not apply or was not measured. */
export interface TrialFigures {
  readonly isOpenLoop: boolean;
  readonly offeredRps: number;
  readonly achievedRps: number;
  readonly requests: number;
  /** Requests that the schedule holds for the windows, counted anew from its seed; undefined for a closed loop. */
  readonly scheduledRequests: number | undefined;
  readonly errors: number;
  readonly timeouts: number;
  /** Share of requests that left more than 1 ms after their intended time though a client was free. */
  readonly lateShare: number;
  /** CPU of the generator in CPUs. */
  readonly generatorCpuUtil: number;
  readonly isCpuShared: boolean;
  /** Empty where the server is alone. */
  readonly neighbours: readonly NeighbourFigures[];
  /** Whether the load generators of neighbours run on a CPU of the server's. */
  readonly areGeneratorsShared: boolean;
  /** Why latency was not steady when the windows began, or not within them; undefined where it was. */
  readonly unsteadyBecause: string | undefined;
  /** CPUs used by anything but server, generator and dse; undefined where the server's own use is not known. */
  readonly othersCpus: number | undefined;
  readonly stolenCpus: number | undefined;
  /** CPUs of the machine. */
  readonly onlineCpus: number;
  /** Whether the server's CPU quota was asked for, so that being held back by it is what is studied. */
  readonly hasQuota: boolean;
  /** Shares (0 to 1) of the quota periods in which server and generator were held back by a quota. */
  readonly throttledShare: number | undefined;
  readonly generatorThrottledShare: number | undefined;
  /** Times cores were slowed down because of heat. */
  readonly thermalThrottles: number | undefined;
  readonly swappedMb: number | undefined;
  /** Little's law: rate times mean latency over the mean number in the system, minus 1. */
  readonly littlesLawError: number;
  /** Why energy over the windows is not known; undefined where it is, or where none is measured. */
  readonly energyFault: string | undefined;
}

/** Figures of one neighbour over the measured windows. */
export interface NeighbourFigures {
  readonly name: string;
  /** How it ended, where it did. */
  readonly exit: ServerExit | undefined;
  readonly isOpenLoop: boolean;
  /** Requests of its own that were due, and good replies that came. */
  readonly requests: number;
  readonly answered: number;
  readonly errors: number;
  readonly timeouts: number;
}

/** Limits behind the verdicts. A 2-core virtual machine at rest passes them. */
export const LIMITS = {
  errorShare: 0.01,
  lateShare: 0.01,
  /**
   * So few late requests are chance, whatever share of a short window they are.
   *
   * A plain 1 % would call a window of 77 requests invalid for a single late one, which a sound generator, late once in 300, shows in 23 % of such windows. Four or more of 77 have
   * a probability of 0.8 % where the true share is 1 % (binomial); from 400 requests on, where four are 1 %, this rule says no more than the plain one.
   */
  lateByChance: 3,
  generatorCpuUtil: 0.8,
  achievedShare: 0.95,
  /** So few requests of a neighbour are on their way at either end of a window, whatever share of its load they are. */
  underWay: 3,
  /** Shares of the machine's CPUs. */
  othersShare: 0.05,
  stolenShare: 0.02,
  throttledShare: 0.01,
  littlesLawError: 0.2,
} as const;

/** Judges a trial: `invalid` outweighs `overloaded`, which outweighs `valid`. Every reason found is listed with its figure and limit. */
export function judgeTrial(
  figures: TrialFigures,
  extra: readonly Reason[] = [],
): { verdict: Verdict; reasons: Reason[] } {
  const reasons = [...reasonsFrom(figures), ...extra];
  const weights = new Set(reasons.map(({ code }) => REASONS[code].weight));
  const verdict = weights.has('invalid') ? 'invalid' : weights.has('overloaded') ? 'overloaded' : 'valid';
  return { verdict, reasons };
}

function* reasonsFrom(figures: TrialFigures): Generator<Reason> {
  const { requests, errors, timeouts } = figures;
  const isOverloaded = figures.isOpenLoop && figures.achievedRps < LIMITS.achievedShare * figures.offeredRps;
  if (isOverloaded) {
    yield {
      code: 'overloaded',
      detail: `${rps(figures.achievedRps)} achieved of ${rps(figures.offeredRps)} offered (limit ${percent(LIMITS.achievedShare)})`,
    };
  } else if (timeouts > LIMITS.errorShare * requests) {
    yield {
      code: 'overloaded',
      detail: `${timeouts} of ${requests} requests timed out (limit ${percent(LIMITS.errorShare)})`,
    };
  }
  if (errors > LIMITS.errorShare * requests) {
    yield { code: 'errors', detail: `${errors} of ${requests} requests failed (limit ${percent(LIMITS.errorShare)})` };
  }
  const isLate = figures.lateShare > LIMITS.lateShare && figures.lateShare * requests > LIMITS.lateByChance + 0.5;
  if (figures.isOpenLoop && isLate) {
    yield {
      code: 'generator-late',
      detail: `${percent(figures.lateShare)} of requests left over 1 ms late (limit ${percent(LIMITS.lateShare)})`,
    };
  }
  if (figures.generatorCpuUtil > LIMITS.generatorCpuUtil) {
    yield {
      code: 'generator-saturated',
      detail: `the generator used ${percent(figures.generatorCpuUtil)} of a CPU (limit ${percent(LIMITS.generatorCpuUtil)})`,
    };
  }
  if (figures.isCpuShared) yield { code: 'shared-cpu', detail: 'server and generator may run on the same CPU' };
  // Under overload the backlog grows for as long as the load lasts: that there is no steady state is said by `overloaded`.
  if (figures.unsteadyBecause !== undefined && !isOverloaded) {
    yield { code: 'unsteady', detail: figures.unsteadyBecause };
  }
  for (const detail of hostFaults(figures)) yield { code: 'host-busy', detail };
  if (figures.swappedMb !== undefined && figures.swappedMb > 0) {
    yield { code: 'host-busy', detail: `${figures.swappedMb.toFixed(1)} MB were swapped (limit 0)` };
  }
  yield* throttlingReasons(figures);
  yield* neighbourReasons(figures);
  if (figures.scheduledRequests !== undefined && figures.scheduledRequests !== requests) {
    yield {
      code: 'outcomes-unbalanced',
      detail: `${requests} requests are accounted for of ${figures.scheduledRequests} that were scheduled`,
    };
  }
  if (Math.abs(figures.littlesLawError) > LIMITS.littlesLawError && !isOverloaded) {
    yield {
      code: 'littles-law',
      detail: `rate times latency is off the mean number in the system by ${percent(figures.littlesLawError)} (limit ${percent(LIMITS.littlesLawError)})`,
    };
  }
  if (figures.energyFault !== undefined) yield { code: 'energy-unknown', detail: figures.energyFault };
}

/** What others took of the machine's CPUs, where that is more than a valid trial allows; undefined where it is not. */
export function findHostFault(use: Pick<TrialFigures, 'othersCpus' | 'stolenCpus' | 'onlineCpus'>): string | undefined {
  const [fault] = hostFaults(use);
  return fault;
}

function* hostFaults({
  othersCpus,
  stolenCpus,
  onlineCpus,
}: Pick<TrialFigures, 'othersCpus' | 'stolenCpus' | 'onlineCpus'>): Generator<string> {
  const limitOn = (share: number) => `limit ${(share * onlineCpus).toFixed(2)} of ${onlineCpus}`;
  if (othersCpus !== undefined && othersCpus > LIMITS.othersShare * onlineCpus) {
    yield `other processes used ${othersCpus.toFixed(2)} CPUs (${limitOn(LIMITS.othersShare)})`;
  }
  if (stolenCpus !== undefined && stolenCpus > LIMITS.stolenShare * onlineCpus) {
    yield `the hypervisor took ${stolenCpus.toFixed(2)} CPUs away (${limitOn(LIMITS.stolenShare)})`;
  }
}

function* throttlingReasons(figures: TrialFigures): Generator<Reason> {
  const { hasQuota, throttledShare = 0, generatorThrottledShare = 0, thermalThrottles = 0 } = figures;
  const limit = `limit ${percent(LIMITS.throttledShare)}`;
  if (thermalThrottles > 0) {
    yield { code: 'throttled', detail: `cores were slowed down because of heat ${thermalThrottles} times (limit 0)` };
  }
  if (!hasQuota && throttledShare > LIMITS.throttledShare) {
    yield {
      code: 'throttled',
      detail: `a CPU quota that was not asked for held the server back in ${percent(throttledShare)} of its periods (${limit})`,
    };
  }
  if (generatorThrottledShare > LIMITS.throttledShare) {
    yield {
      code: 'throttled',
      detail: `a CPU quota held the load generator back in ${percent(generatorThrottledShare)} of its periods (${limit})`,
    };
  }
}

function* neighbourReasons({ neighbours, areGeneratorsShared }: TrialFigures): Generator<Reason> {
  for (const { name, exit, isOpenLoop, requests, answered, errors, timeouts } of neighbours) {
    const who = `neighbour "${name}"`;
    const missing = requests - answered;
    if (exit !== undefined) {
      yield { code: 'neighbour-died', detail: `${describeExit(who, exit)} (limit: none may)` };
    } else if (isOpenLoop && missing > (1 - LIMITS.achievedShare) * requests && missing > LIMITS.underWay) {
      yield {
        code: 'neighbour-behind',
        detail: `${who} answered ${answered} of ${requests} requests in the windows (limit ${percent(LIMITS.achievedShare)})`,
      };
    } else if (errors + timeouts > LIMITS.errorShare * requests) {
      yield {
        code: 'neighbour-behind',
        detail: `${errors} of ${requests} requests to ${who} failed and ${timeouts} timed out (limit ${percent(LIMITS.errorShare)})`,
      };
    } else if (answered === 0) {
      yield { code: 'neighbour-behind', detail: `${who} answered no request in the windows (limit 1)` };
    }
  }
  if (neighbours.length > 0 && areGeneratorsShared) {
    yield {
      code: 'neighbour-generator-shared',
      detail: "the load generators of neighbours run on the CPU of the server's own load generator",
    };
  }
}

const rps = (rate: number) => `${rate.toFixed(1)} req/s`;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
